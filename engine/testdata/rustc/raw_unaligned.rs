// Reading a number at any byte: with the function for it, and with a cast.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<8>();
    let i = below(5);
    let n = unsafe { v.as_ptr().add(i).cast::<u32>().read_unaligned() };
    assert!(n as u8 == v[i]);
}

#[repr(align(4))]
struct Aligned([u8; 8]);

#[no_mangle]
pub extern "C" fn check_bad() -> u32 { //~ REFUTED
    let v = Aligned(any_bytes::<8>());
    let i = below(5);
    unsafe { *v.0.as_ptr().add(i).cast::<u32>() } //~ misaligned REFUTED
}
