// Depth from an input: factorial, and one that overflows.
#![no_std]
include!("../prelude.rs");

fn factorial(n: u32) -> u32 { if n == 0 { 1 } else { n * factorial(n - 1) } } //~ mul_overflow REFUTED

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let n = any32() & 7;
    assert!(factorial(n) <= 5040);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u32 { //~ REFUTED
    let n = any32();
    assume(n <= 13);
    factorial(n)
}
