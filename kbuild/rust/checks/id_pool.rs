// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/id_pool.rs`: numbers that are given out and taken back.

mod kvfarm;

use kernel::id_pool::IdPool;
use kvfarm::{any, any_in, check, check_eq};

/// The kernel's search for bits: lib/find_bit.c. What is not found is the size.
mod find {
    const WORD: usize = usize::BITS as usize;

    /// The least index from `start` on at which `word` has a bit.
    fn next(word: impl Fn(usize) -> usize, size: usize, start: usize) -> usize {
        let mut at = start;
        while at < size {
            let rest = word(at / WORD) >> (at % WORD);
            if rest != 0 {
                let found = at + rest.trailing_zeros() as usize;
                return if found < size { found } else { size };
            }
            at = (at / WORD + 1) * WORD;
        }
        size
    }

    #[no_mangle]
    unsafe extern "C" fn _find_next_bit(p: *const usize, size: usize, start: usize) -> usize {
        // SAFETY: The caller owns words for `size` bits.
        next(|i| unsafe { *p.add(i) }, size, start)
    }

    #[no_mangle]
    unsafe extern "C" fn _find_next_zero_bit(p: *const usize, size: usize, start: usize) -> usize {
        // SAFETY: The caller owns words for `size` bits.
        next(|i| unsafe { !*p.add(i) }, size, start)
    }

    #[no_mangle]
    unsafe extern "C" fn _find_last_bit(p: *const usize, size: usize) -> usize {
        let mut end = size;
        while end > 0 {
            let first = (end - 1) / WORD * WORD;
            // SAFETY: The caller owns words for `size` bits.
            let word = unsafe { *p.add(first / WORD) } & (usize::MAX >> (WORD - (end - first)));
            if word != 0 {
                return first + WORD - 1 - word.leading_zeros() as usize;
            }
            end = first;
        }
        size
    }
}

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
