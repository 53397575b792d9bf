// Half the sum of two numbers, without and with overflow.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let (a, b) = (any32(), any32());
    let m = (a & b) + ((a ^ b) >> 1);
    assert!(m as u64 == (a as u64 + b as u64) / 2);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u32 { //~ REFUTED
    let (low, high) = (any32(), any32());
    assume(low <= high);
    (low + high) / 2 //~ add_overflow REFUTED
}
