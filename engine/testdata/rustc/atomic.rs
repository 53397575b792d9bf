// Atomics of one thread; a counter that is compared and exchanged.
#![no_std]
include!("../prelude.rs");

use core::sync::atomic::{AtomicU8, Ordering::*};

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let x = any8();
    let a = AtomicU8::new(x);
    assert!(a.fetch_add(1, Relaxed) == x);
    assert!(a.compare_exchange(x, 0, AcqRel, Acquire).is_err());
    assert!(a.swap(7, SeqCst) == x.wrapping_add(1));
    assert!(a.load(Acquire) == 7);
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let a = AtomicU8::new(any8());
    a.fetch_sub(1, Release);
    assert!(a.load(Relaxed) < 255); //~ panic REFUTED
}
