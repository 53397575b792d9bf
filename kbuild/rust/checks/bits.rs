// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/bits.rs`: masks whose bounds are checked when they are made.

mod kvfarm;

use kernel::bits::{
    checked_bit_u16, checked_bit_u32, checked_bit_u64, checked_bit_u8, genmask_checked_u32, genmask_checked_u64,
};
use kvfarm::{any, any_in, check_eq};

/// `checked_bit_*` has just the bit `n`, or is nothing where the type has no such bit.
#[no_mangle]
pub extern "C" fn check_checked_bit() {
    let n: u32 = any();
    check_eq!(checked_bit_u8(n), if n < 8 { Some(1u64.wrapping_shl(n) as u8) } else { None });
    check_eq!(checked_bit_u16(n), if n < 16 { Some(1u64.wrapping_shl(n) as u16) } else { None });
    check_eq!(checked_bit_u32(n), if n < 32 { Some(1u64.wrapping_shl(n) as u32) } else { None });
    check_eq!(checked_bit_u64(n), if n < 64 { Some(1u64.wrapping_shl(n)) } else { None });
}

/// `genmask_checked_u32(lo..=hi)` has the bits `lo` to `hi` and no other, and
/// is nothing just for a range that is empty or leaves the type.
#[no_mangle]
pub extern "C" fn check_genmask_u32() {
    let lo: u32 = any();
    let hi: u32 = any();
    let mask = genmask_checked_u32(lo..=hi);
    check_eq!(mask.is_some(), lo <= hi && hi < 32);
    if let Some(mask) = mask {
        let bit = any_in(0, 31);
        check_eq!(mask >> bit & 1 == 1, lo <= bit && bit <= hi);
    }
}

/// The same for 64 bits.
#[no_mangle]
pub extern "C" fn check_genmask_u64() {
    let lo: u32 = any();
    let hi: u32 = any();
    let mask = genmask_checked_u64(lo..=hi);
    check_eq!(mask.is_some(), lo <= hi && hi < 64);
    if let Some(mask) = mask {
        let bit = any_in(0, 63);
        check_eq!(mask >> bit & 1 == 1, lo <= bit && bit <= hi);
    }
}
