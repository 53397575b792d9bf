// Pointer arithmetic: inside, at the end, and one too far.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<4>();
    let (mut p, end) = (v.as_ptr(), unsafe { v.as_ptr().add(4) });
    let mut n = 0;
    while p != end {
        n += unsafe { *p } as u16;
        p = unsafe { p.add(1) };
    }
    assert!(n <= 4 * 255);
    assert!(unsafe { end.offset_from(v.as_ptr()) } == 4);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let v = any_bytes::<4>();
    let i = below(5);
    unsafe { *v.as_ptr().add(i) } //~ oob_load REFUTED
}
