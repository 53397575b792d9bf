// Sums that fit, and one that does not.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<5>();
    let s = v.iter().fold(0u16, |s, b| s + *b as u16);
    assert!(s <= 5 * 255);
    assert!(v.iter().any(|b| *b as u16 * 5 >= s));
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let v = any_bytes::<5>();
    v.iter().fold(0, |s, b| s + (b >> 2)) //~ add_overflow REFUTED
}
