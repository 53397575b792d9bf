// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/time.rs`: conversions of `Delta`. The references compute in 128
//! bits, where nothing overflows, and do not divide.

mod kvfarm;

use kernel::time::Delta;
use kvfarm::{any, assume, check, check_eq};

/// `as_micros_ceil` is the least number of microseconds that is not less than
/// the span: for every span, negative ones and those next to the limits too.
#[no_mangle]
pub extern "C" fn check_delta_as_micros_ceil() {
    let nanos: i64 = any();
    let micros = i128::from(Delta::from_nanos(nanos).as_micros_ceil());
    check!(micros * 1_000 >= i128::from(nanos));
    check!((micros - 1) * 1_000 < i128::from(nanos));
}

/// `as_millis` drops the fraction: it never leaves zero further away than the
/// span is, and what it drops is less than a millisecond.
#[no_mangle]
pub extern "C" fn check_delta_as_millis() {
    let nanos: i64 = any();
    let millis = i128::from(Delta::from_nanos(nanos).as_millis());
    let rest = i128::from(nanos) - millis * 1_000_000;
    check!(rest > -1_000_000 && rest < 1_000_000);
    check!(rest == 0 || (rest < 0) == (nanos < 0));
}

/// `from_micros` multiplies exactly, and saturates where the product does not fit.
#[no_mangle]
pub extern "C" fn check_delta_from_micros() {
    let micros: i64 = any();
    check_eq!(Delta::from_micros(micros).as_nanos(), clamped(micros, 1_000));
}

/// `from_millis` multiplies exactly, and saturates where the product does not fit.
#[no_mangle]
pub extern "C" fn check_delta_from_millis() {
    let millis: i64 = any();
    check_eq!(Delta::from_millis(millis).as_nanos(), clamped(millis, 1_000_000));
}

/// `from_secs` multiplies exactly, and saturates where the product does not fit.
#[no_mangle]
pub extern "C" fn check_delta_from_secs() {
    let secs: i64 = any();
    check_eq!(Delta::from_secs(secs).as_nanos(), clamped(secs, 1_000_000_000));
}

/// `n * unit`, or the nearest number of 64 bits.
fn clamped(n: i64, unit: i64) -> i64 {
    let exact = i128::from(n) * i128::from(unit);
    if exact > i128::from(i64::MAX) {
        i64::MAX
    } else if exact < i128::from(i64::MIN) {
        i64::MIN
    } else {
        exact as i64
    }
}

/// `rem_nanos` is the remainder of the division that rounds towards zero, for
/// every divisor greater than zero.
#[no_mangle]
pub extern "C" fn check_delta_rem_nanos() {
    let nanos: i64 = any();
    let divisor: i32 = any();
    assume(divisor > 0);
    let rest = Delta::from_nanos(nanos).rem_nanos(divisor).as_nanos();
    let d = i64::from(divisor);
    check!(rest > -d && rest < d);
    check!(rest == 0 || (rest < 0) == (nanos < 0));
}

/// A span is negative, zero, or neither, as its nanoseconds are; adding its
/// negation gives zero.
#[no_mangle]
pub extern "C" fn check_delta_sign() {
    let nanos: i64 = any();
    assume(nanos != i64::MIN);
    let span = Delta::from_nanos(nanos);
    check_eq!(span.is_negative(), nanos < 0);
    check_eq!(span.is_zero(), nanos == 0);
    check!((span + Delta::from_nanos(-nanos)).is_zero());
}
