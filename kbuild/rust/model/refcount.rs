// SPDX-License-Identifier: GPL-2.0

//! The kernel's `refcount_t`, as if nothing else ran: include/linux/refcount.h. Far from both ends lies the value at
//! which it stays for ever when something is wrong.

const SATURATED: i32 = i32::MIN / 2;

#[no_mangle]
extern "C" fn rust_helper_REFCOUNT_INIT(n: i32) -> i32 {
    n
}

#[no_mangle]
unsafe extern "C" fn rust_helper_refcount_set(r: *mut i32, n: i32) {
    // SAFETY: The caller owns a count.
    unsafe { *r = n };
}

#[no_mangle]
unsafe extern "C" fn rust_helper_refcount_inc(r: *mut i32) {
    // SAFETY: The caller owns a count.
    let old = unsafe { *r };
    let new = if old <= 0 || old == i32::MAX { SATURATED } else { old + 1 };
    // SAFETY: As above.
    unsafe { *r = new };
}

#[no_mangle]
unsafe extern "C" fn rust_helper_refcount_dec(r: *mut i32) {
    // SAFETY: The caller owns a count.
    let old = unsafe { *r };
    // SAFETY: As above.
    unsafe { *r = if old <= 1 { SATURATED } else { old - 1 } };
}

#[no_mangle]
unsafe extern "C" fn rust_helper_refcount_dec_and_test(r: *mut i32) -> bool {
    // SAFETY: The caller owns a count.
    let old = unsafe { *r };
    // SAFETY: As above.
    unsafe { *r = if old <= 0 { SATURATED } else { old - 1 } };
    old == 1
}
