// NonNull, and a pointer that outlives what it points to.
#![no_std]
include!("../prelude.rs");

use core::ptr::NonNull;

fn leak(x: u8) -> NonNull<u8> {
    let local = x;
    NonNull::from(&local)
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut x = any8();
    let p = NonNull::from(&mut x);
    unsafe { *p.as_ptr() ^= 255 };
    let y = x;
    assert!(unsafe { *p.as_ref() } == y);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let p = leak(any8());
    unsafe { *p.as_ptr() } //~ use_after_free REFUTED
}
