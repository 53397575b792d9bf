// Indices into an array: masked, and one too far.
#![no_std]
include!("../prelude.rs");

static TABLE: [u16; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

#[no_mangle]
pub extern "C" fn check_good() -> u16 { //~ PROVED
    let i = any_usize();
    TABLE[i & 7] + TABLE[i % 8]
}

#[no_mangle]
pub extern "C" fn check_bad() -> u16 { //~ REFUTED
    let i = any_usize();
    assume(i <= 8);
    TABLE[i] //~ bounds REFUTED
}
