// SPDX-License-Identifier: GPL-2.0

//! What a written check is made of: inputs that may be anything, assumptions
//! about them, and statements that must hold.
//!
//! A check is a function `#[no_mangle] pub extern "C" fn check_NAME()`. It is
//! proved for all inputs at once, run with random ones, and run with the one
//! input that makes it fail; the source is the same.
//!
//! Everything here is a thin cover over the C symbols in [`sys`], which the
//! prover, the interpreter and the native harness each supply. This file is a
//! module of every crate of checks: `mod kvfarm;`.

#![allow(dead_code, unused_macros, unused_imports)]

/// The symbols that whatever runs a check supplies.
pub mod sys {
    extern "C" {
        pub fn kvfarm_any_bool() -> bool;
        pub fn kvfarm_any_u8() -> u8;
        pub fn kvfarm_any_u16() -> u16;
        pub fn kvfarm_any_u32() -> u32;
        pub fn kvfarm_any_u64() -> u64;
        pub fn kvfarm_any_u128() -> u128;
        pub fn kvfarm_any_usize() -> usize;
        pub fn kvfarm_any_bytes(p: *mut u8, len: usize);
        pub fn kvfarm_assume(condition: bool);
        pub fn kvfarm_assert(condition: bool);
    }
}

/// Types of which any value can be asked for.
pub trait Any: Sized {
    /// Returns any value of the type.
    fn any() -> Self;
}

macro_rules! any_number {
    ($($t:ty => $f:ident),* $(,)?) => {$(
        impl Any for $t {
            #[inline(always)]
            fn any() -> Self {
                // SAFETY: The function has no preconditions.
                unsafe { sys::$f() as $t }
            }
        }
    )*};
}

any_number! {
    bool => kvfarm_any_bool,
    u8 => kvfarm_any_u8, u16 => kvfarm_any_u16, u32 => kvfarm_any_u32, u64 => kvfarm_any_u64,
    u128 => kvfarm_any_u128, usize => kvfarm_any_usize,
    i8 => kvfarm_any_u8, i16 => kvfarm_any_u16, i32 => kvfarm_any_u32, i64 => kvfarm_any_u64,
    i128 => kvfarm_any_u128, isize => kvfarm_any_usize,
}

impl Any for char {
    #[inline(always)]
    fn any() -> Self {
        let c: u32 = any();
        assume(c < 0xd800 || c > 0xdfff && c <= 0x10ffff);
        // SAFETY: Just these numbers are characters.
        unsafe { char::from_u32_unchecked(c) }
    }
}

impl<T: Any> Any for Option<T> {
    #[inline(always)]
    fn any() -> Self {
        if any() {
            Some(any())
        } else {
            None
        }
    }
}

impl<T: Any, E: Any> Any for Result<T, E> {
    #[inline(always)]
    fn any() -> Self {
        if any() {
            Ok(any())
        } else {
            Err(any())
        }
    }
}

impl Any for () {
    #[inline(always)]
    fn any() -> Self {}
}

impl<A: Any, B: Any> Any for (A, B) {
    #[inline(always)]
    fn any() -> Self {
        (any(), any())
    }
}

impl<T: Any + Copy, const N: usize> Any for [T; N] {
    #[inline(always)]
    fn any() -> Self {
        let mut a = core::mem::MaybeUninit::<[T; N]>::uninit();
        let mut i = 0;
        while i < N {
            // SAFETY: `i` is less than the number of elements.
            unsafe { a.as_mut_ptr().cast::<T>().add(i).write(any()) };
            i += 1;
        }
        // SAFETY: All elements were written.
        unsafe { a.assume_init() }
    }
}

/// Returns any value of `T`.
#[inline(always)]
pub fn any<T: Any>() -> T {
    T::any()
}

/// Returns any value from `lo` to `hi`, both included.
#[inline(always)]
pub fn any_in<T: Any + PartialOrd + Copy>(lo: T, hi: T) -> T {
    let v = T::any();
    assume(lo <= v && v <= hi);
    v
}

/// Leaves out the inputs for which `condition` does not hold.
#[inline(always)]
pub fn assume(condition: bool) {
    // SAFETY: The function has no preconditions.
    unsafe { sys::kvfarm_assume(condition) }
}

/// Any bytes, at most `N` of them.
pub struct Bytes<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Bytes<N> {
    /// Makes any bytes.
    #[inline(always)]
    pub fn any() -> Self {
        let mut b = Bytes { bytes: [0; N], len: any() };
        assume(b.len <= N);
        // SAFETY: The array has `N` bytes.
        unsafe { sys::kvfarm_any_bytes(b.bytes.as_mut_ptr(), N) };
        b
    }

    /// The bytes.
    #[inline(always)]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: The length is at most that of the array.
        unsafe { core::slice::from_raw_parts(self.bytes.as_ptr(), self.len) }
    }

    /// The bytes, to be written to.
    #[inline(always)]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: The length is at most that of the array.
        unsafe { core::slice::from_raw_parts_mut(self.bytes.as_mut_ptr(), self.len) }
    }
}

/// Makes `*p` hold any bytes, whatever its type: the caller says that all of
/// them are valid.
///
/// # Safety
///
/// `p` must be valid for writes, and every bit pattern a value of `T`.
#[inline(always)]
pub unsafe fn any_bytes<T>(p: *mut T) {
    // SAFETY: By this function's precondition.
    unsafe { sys::kvfarm_any_bytes(p.cast(), core::mem::size_of::<T>()) }
}

/// States that something holds for all inputs.
///
/// It is a macro so that the statement is a site of the check that makes it.
#[collapse_debuginfo(yes)]
macro_rules! check {
    ($condition:expr $(,)?) => {
        // SAFETY: The function has no preconditions.
        unsafe { $crate::kvfarm::sys::kvfarm_assert($condition) }
    };
}

/// States that two values are equal for all inputs.
#[collapse_debuginfo(yes)]
macro_rules! check_eq {
    ($left:expr, $right:expr $(,)?) => {
        $crate::kvfarm::check!(($left) == ($right))
    };
}

pub(crate) use {check, check_eq};
