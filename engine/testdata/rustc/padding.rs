// Structs with padding, copied and compared field by field, and by bytes.
#![no_std]
include!("../prelude.rs");

#[derive(Clone, Copy, PartialEq)]
#[repr(C)]
struct Pair { tag: u8, number: u32 }

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let p = Pair { tag: any8(), number: any32() };
    let mut v = [p; 3];
    v[below(3)] = Pair { number: p.number, ..v[0] };
    assert!(v[0] == v[2]);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let p = Pair { tag: any8(), number: any32() };
    let b = unsafe { &*(&p as *const Pair).cast::<[u8; 8]>() };
    b[below(8)] & 1 //~ uninit_use REFUTED
}
