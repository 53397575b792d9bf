// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/bitmap.rs`: bits that are set, cleared and looked for.

mod kvfarm;

use kernel::bitmap::BitmapVec;
use kvfarm::{any, any_in, check_eq};

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

/// A bitmap is a set of numbers: the same searches in one word agree after each step.
#[no_mangle]
pub extern "C" fn check_bitmap_sequence() {
    let mut b = BitmapVec::new_inline();
    let mut set: u64 = 0;
    for _ in 0..3 {
        let i: usize = any_in(0, 63);
        if any() {
            b.set_bit(i);
            set |= 1 << i;
        } else {
            b.clear_bit(i);
            set &= !(1 << i);
        }
        let from: usize = any_in(0, 63);
        let (ones, zeros) = (set >> from, !set >> from);
        let at = |w: u64| if w == 0 { None } else { Some(from + w.trailing_zeros() as usize) };
        check_eq!(b.next_bit(from), at(ones));
        check_eq!(b.next_zero_bit(from), at(zeros));
        let last = if set == 0 { None } else { Some(63 - set.leading_zeros() as usize) };
        check_eq!(b.last_bit(), last);
    }
}

/// What is set and cleared atomically is the same.
#[no_mangle]
pub extern "C" fn check_bitmap_atomic() {
    let b = BitmapVec::new_inline();
    let (i, j): (usize, usize) = (any_in(0, 63), any_in(0, 63));
    b.set_bit_atomic(i);
    check_eq!(b.next_bit(0), Some(i));
    b.clear_bit_atomic(j);
    check_eq!(b.last_bit(), if i == j { None } else { Some(i) });
}
