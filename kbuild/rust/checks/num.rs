// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/num/bounded.rs`: numbers that fit a width which is part of
//! their type.

mod kvfarm;

use kernel::num::Bounded;
use kvfarm::{any, check_eq};

/// `try_new` takes just the numbers of so many bits, and keeps them as they are.
#[no_mangle]
pub extern "C" fn check_bounded_unsigned() {
    let v: u32 = any();
    let b = Bounded::<u32, 6>::try_new(v);
    check_eq!(b.is_some(), v < 64);
    if let Some(b) = b {
        check_eq!(b.get(), v);
    }
}

/// The same for signed numbers: one of the bits is the sign.
#[no_mangle]
pub extern "C" fn check_bounded_signed() {
    let v: i16 = any();
    let b = Bounded::<i16, 5>::try_new(v);
    check_eq!(b.is_some(), v >= -16 && v < 16);
    if let Some(b) = b {
        check_eq!(b.get(), v);
    }
}

/// `try_shrink` and `extend` change the type and never the number.
#[no_mangle]
pub extern "C" fn check_bounded_shrink_extend() {
    let v: i32 = any();
    let Some(b) = Bounded::<i32, 12>::try_new(v) else {
        return;
    };
    check_eq!(b.extend::<20>().get(), v);
    let small = b.try_shrink::<4>();
    check_eq!(small.is_some(), v >= -8 && v < 8);
    if let Some(small) = small {
        check_eq!(small.get(), v);
    }
}

/// Shifts multiply and divide by powers of two, and no bit is lost.
#[no_mangle]
pub extern "C" fn check_bounded_shift() {
    let v: u32 = any();
    let Some(b) = Bounded::<u32, 10>::try_new(v) else {
        return;
    };
    check_eq!(b.shl::<3, 13>().get(), v * 8);
    check_eq!(b.shr::<4, 6>().get(), v / 16);
}
