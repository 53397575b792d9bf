// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/bitmap.rs`: bitmaps that fit one word need no memory of their own.

mod kvfarm;

use kernel::{
    alloc::flags::GFP_KERNEL,
    bitmap::{Bitmap, BitmapVec},
};
use kvfarm::{any, any_in, check, check_eq};

/// A small bitmap is always made, and has the length that was asked for.
#[no_mangle]
pub extern "C" fn check_bitmap_inline() {
    let bits: usize = any_in(0, BitmapVec::MAX_INLINE_LEN);
    match BitmapVec::new(bits, GFP_KERNEL) {
        Ok(b) => check_eq!(b.len(), bits),
        Err(_) => check!(false),
    }
    check_eq!(BitmapVec::new_inline().len(), usize::BITS as usize);
}

/// No bitmap is made that is longer than C can say.
#[no_mangle]
pub extern "C" fn check_bitmap_too_long() {
    let bits: usize = any_in(BitmapVec::MAX_LEN + 1, usize::MAX);
    check!(BitmapVec::new(bits, GFP_KERNEL).is_err());
}

/// A borrowed bitmap is the words that it was made from.
#[no_mangle]
pub extern "C" fn check_bitmap_from_raw() {
    let words: [usize; 2] = any();
    let bits: usize = any_in(0, 2 * usize::BITS as usize);
    // SAFETY: There are two words, and they outlive the bitmap.
    let b = unsafe { Bitmap::from_raw(words.as_ptr(), bits) };
    check_eq!(b.len(), bits);
    check_eq!(b.as_ptr(), words.as_ptr());
}
