// Counting down by steps: the last step may go below zero.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut n = any8() & 31;
    let mut rounds = 0;
    while n >= 3 { n -= 3; rounds += 1; }
    assert!(n < 3 && rounds <= 10);
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let mut n = any8() & 31;
    while n != 0 { n -= 3; } //~ sub_overflow REFUTED
}
