// A divisor that is zero, and one that is not.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() -> u32 { //~ PROVED
    let (a, b) = (any32(), any32() | 1);
    a / b ^ a % (b.leading_zeros() + 1)
}

#[no_mangle]
pub extern "C" fn check_bad() -> u32 { //~ REFUTED
    let (a, b) = (any32(), any32());
    let q = a / b; //~ div_zero REFUTED
    q % (b.leading_zeros()) //~ rem_zero REFUTED
}
