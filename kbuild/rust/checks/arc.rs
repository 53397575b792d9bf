// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/sync/refcount.rs` and `arc.rs`: shared values, and when they die.

mod kvfarm;
mod refcount;

use core::cell::Cell;
use kernel::{alloc::flags::GFP_KERNEL, sync::Arc};
use kvfarm::{any, any_in, check, check_eq};

/// A count goes up and down by one, says when the last is gone, and never comes back from saturation.
#[no_mangle]
pub extern "C" fn check_refcount() {
    use kernel::sync::{atomic::Relaxed, Refcount};
    let n: i32 = any();
    let r = Refcount::new(1);
    r.set(n);
    let now = || r.as_atomic().load(Relaxed);
    check_eq!(now(), n);
    if any() {
        r.inc();
        check!(if 0 < n && n < i32::MAX { now() == n + 1 } else { now() < 0 });
    } else {
        check_eq!(r.dec_and_test(), n == 1);
        check!(if n > 0 { now() == n - 1 } else { now() < 0 });
    }
}

/// Clones show the same value at the same place, and outlive each other.
#[no_mangle]
pub extern "C" fn check_arc_clone() {
    let want: u64 = any();
    let Ok(a) = Arc::new(want, GFP_KERNEL) else {
        return;
    };
    let b = a.clone();
    check!(Arc::ptr_eq(&a, &b));
    drop(a);
    check_eq!(*b, want);
    check_eq!(*b.as_arc_borrow(), want);
}

/// A value that says how often it was dropped.
struct Told<'a>(&'a Cell<u32>);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Whatever order clones are made and dropped in, the value is dropped once, with the last of them.
#[no_mangle]
pub extern "C" fn check_arc_sequence() {
    let dropped = Cell::new(0);
    let mut handles = [const { None }; 3];
    let Ok(first) = Arc::new(Told(&dropped), GFP_KERNEL) else {
        return;
    };
    handles[0] = Some(first);
    for _ in 0..4 {
        let (from, to): (usize, usize) = (any_in(0, 2), any_in(0, 2));
        let new = handles[from].clone();
        handles[to] = new;
        let live = handles.iter().any(|h| h.is_some());
        check_eq!(dropped.get(), u32::from(!live));
    }
    drop(handles);
    check_eq!(dropped.get(), 1);
}

/// Just the last of several handles can be had for oneself.
#[no_mangle]
pub extern "C" fn check_arc_unique() {
    let want: u32 = any();
    let Ok(a) = Arc::new(want, GFP_KERNEL) else {
        return;
    };
    let b = a.clone();
    check!(Arc::into_unique_or_drop(a).is_none());
    match Arc::into_unique_or_drop(b) {
        Some(u) => check_eq!(*u, want),
        None => check!(false),
    }
}
