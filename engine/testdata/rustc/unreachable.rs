// unreachable_unchecked that is reached, and that is not.
#![no_std]
include!("../prelude.rs");

use core::hint::{assert_unchecked, unreachable_unchecked};

#[no_mangle]
pub extern "C" fn check_good() -> u8 { //~ PROVED
    let n = any8() % 3;
    unsafe { assert_unchecked(n < 3) };
    match n { 0 => 1, 1 => 5, 2 => 9, _ => unsafe { unreachable_unchecked() } }
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let n = any8() % 4;
    match n { 0 => 1, 1 => 5, 2 => 9, _ => unsafe { unreachable_unchecked() } } //~ unreachable_reached REFUTED
}
