// Euclid's numbers: the result divides both.
#![no_std]
include!("../prelude.rs");

fn gcd(mut a: u8, mut b: u8) -> u8 {
    while b != 0 { (a, b) = (b, a % b); }
    a
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let (a, b) = (any8() & 31, any8() & 31);
    assume(a > 0);
    let g = gcd(a, b);
    assert!(g > 0 && a % g == 0 && b % g == 0);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let (a, b) = (any8() & 31, any8() & 31);
    100 / gcd(a, b) //~ div_zero REFUTED
}
