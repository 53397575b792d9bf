// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/sizes.rs`: the constants are what their names say, in every width.

mod kvfarm;

use kernel::sizes::*;
use kvfarm::{any_in, check_eq};

/// From 1 KiB to 512 KiB each constant is twice the one before it.
#[no_mangle]
pub extern "C" fn check_sizes() {
    const SIZES: [usize; 10] =
        [SZ_1K, SZ_2K, SZ_4K, SZ_8K, SZ_16K, SZ_32K, SZ_64K, SZ_128K, SZ_256K, SZ_512K];
    let i: usize = any_in(0, SIZES.len() - 1);
    check_eq!(SIZES[i], 1024 << i);
}

/// So are those from 1 MiB to 2 GiB.
#[no_mangle]
pub extern "C" fn check_sizes_large() {
    const SIZES: [usize; 12] = [
        SZ_1M, SZ_2M, SZ_4M, SZ_8M, SZ_16M, SZ_32M, SZ_64M, SZ_128M, SZ_256M, SZ_512M, SZ_1G, SZ_2G,
    ];
    let i: usize = any_in(0, SIZES.len() - 1);
    check_eq!(SIZES[i], 1024 * 1024 << i);
}
