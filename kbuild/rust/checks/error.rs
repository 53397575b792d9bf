// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/error.rs`: results and the numbers that C returns.

mod kvfarm;

use kernel::error::{from_result, to_result};
use kvfarm::{any, any_in, check, check_eq};

/// What is not negative is success; an errno comes back as itself.
#[no_mangle]
pub extern "C" fn check_to_result() {
    let c: i32 = any_in(-4095, i32::MAX);
    match to_result(c) {
        Ok(()) => check!(c >= 0),
        Err(e) => check!(c < 0 && e.to_errno() == c),
    }
}

/// A result that goes out to C and comes in again is the same.
#[no_mangle]
pub extern "C" fn check_from_result() {
    let c: i32 = any_in(-4095, i32::MAX);
    let positive: bool = any();
    let out: i32 = from_result(|| {
        to_result(c)?;
        Ok(if positive { 1 } else { 0 })
    });
    check_eq!(out, if c < 0 { c } else { positive as i32 });
}
