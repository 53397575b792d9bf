// 128 bits: products of 64-bit numbers fit, sums of products do not.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() -> u128 { //~ PROVED
    let (a, b) = (any64(), any64());
    (a as u128 + b as u128) << 63 >> 1
}

#[no_mangle]
pub extern "C" fn check_bad() -> u128 { //~ REFUTED
    let a = any128();
    assume(a >> 127 == 1);
    a + (a >> 1) //~ add_overflow REFUTED
}
