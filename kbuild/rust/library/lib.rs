// SPDX-License-Identifier: GPL-2.0

//! The check library as a crate of its own, for files that are no part of a
//! kernel: `use kvfarm::{any, check};`.

#![no_std]

mod kvfarm;
pub use kvfarm::*;

// The macros of a module cannot leave its crate.

/// States that something holds for all inputs.
#[collapse_debuginfo(yes)]
#[macro_export]
macro_rules! check {
    ($condition:expr $(,)?) => {
        // SAFETY: The function has no preconditions.
        unsafe { $crate::sys::kvfarm_assert($condition) }
    };
}

/// States that two values are equal for all inputs.
#[collapse_debuginfo(yes)]
#[macro_export]
macro_rules! check_eq {
    ($left:expr, $right:expr $(,)?) => {
        $crate::check!(($left) == ($right))
    };
}
