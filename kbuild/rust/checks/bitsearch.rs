// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/bitmap.rs`: bits that are set, cleared and looked for.

mod find_bit;
mod kvfarm;

use kernel::bitmap::BitmapVec;
use kvfarm::{any, any_in, check_eq};

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
