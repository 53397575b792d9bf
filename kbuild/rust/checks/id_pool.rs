// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/id_pool.rs`: numbers that are given out and taken back.

mod find_bit;
mod kvfarm;

use kernel::id_pool::IdPool;
use kvfarm::{any, any_in, check, check_eq};

/// Whatever is taken and given back in whatever order, what is found is the least free number from the offset on.
#[no_mangle]
pub extern "C" fn check_id_pool_sequence() {
    let mut pool = IdPool::new();
    let mut taken: u64 = 0;
    for _ in 0..3 {
        if any() {
            let offset: usize = any_in(0, 63);
            match pool.find_unused_id(offset) {
                Some(id) => {
                    let n = id.as_usize();
                    check!(offset <= n && n < 64);
                    check_eq!(taken >> n & 1, 0);
                    check_eq!(!taken & ((1 << n) - 1) & (u64::MAX << offset), 0);
                    check_eq!(id.as_u32() as usize, n);
                    check_eq!(id.acquire(), n);
                    taken |= 1 << n;
                }
                None => check_eq!(!taken >> offset, 0),
            }
        } else {
            let n: usize = any_in(0, 63);
            pool.release_id(n);
            taken &= !(1 << n);
        }
        check_eq!(pool.capacity(), 64);
    }
}

/// What is only looked at is not taken.
#[no_mangle]
pub extern "C" fn check_id_pool_look() {
    let mut pool = IdPool::new();
    let offset: usize = any_in(0, 63);
    let first = pool.find_unused_id(offset).map(|id| id.as_usize());
    let again = pool.find_unused_id(offset).map(|id| id.as_usize());
    check_eq!(first, Some(offset));
    check_eq!(again, first);
}

/// A pool grows to twice its size, and the smallest one cannot shrink.
#[no_mangle]
pub extern "C" fn check_id_pool_requests() {
    let pool = IdPool::new();
    check!(pool.grow_request().is_some());
    check!(pool.shrink_request().is_none());
}
