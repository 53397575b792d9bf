// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/alloc/kbox.rs`: a value in memory of its own, which may not be had.

mod kvfarm;

use core::cell::Cell;
use kernel::alloc::{flags::GFP_KERNEL, KBox};
use kvfarm::{any, any_in, check, check_eq};

/// A box holds what was put in it, and what was written to it since.
#[no_mangle]
pub extern "C" fn check_kbox_holds() {
    let mut want: [u64; 3] = any();
    let Ok(mut b) = KBox::new(want, GFP_KERNEL) else {
        return;
    };
    let at: usize = any_in(0, 2);
    want[at] = any();
    b[at] = want[at];
    check!(*b == want);
    check!(KBox::into_inner(b) == want);
}

/// A box that was taken apart and put together is the same box.
#[no_mangle]
pub extern "C" fn check_kbox_raw() {
    let want: u32 = any();
    let Ok(b) = KBox::new(want, GFP_KERNEL) else {
        return;
    };
    let p = KBox::into_raw(b);
    // SAFETY: The pointer comes from `into_raw`, and nothing else was made of it.
    let b = unsafe { KBox::from_raw(p) };
    check_eq!(*b, want);
    check_eq!(&*b as *const u32, p.cast_const());
}

/// A value that says how often it was dropped.
struct Told<'a>(&'a Cell<u32>);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// A value is dropped once: with its box, or on its own, or because there was no memory for it.
#[no_mangle]
pub extern "C" fn check_kbox_drops_once() {
    let dropped = Cell::new(0);
    if let Ok(b) = KBox::new(Told(&dropped), GFP_KERNEL) {
        check_eq!(dropped.get(), 0);
        if any() {
            drop(b);
        } else if any() {
            drop(KBox::into_inner(b));
        } else {
            drop(KBox::drop_contents(b));
        }
    }
    check_eq!(dropped.get(), 1);
}

/// Memory that is not initialised yet can be had, and holds what is written to it.
#[no_mangle]
pub extern "C" fn check_kbox_uninit() {
    let want: [u16; 5] = any();
    let Ok(b) = KBox::<[u16; 5]>::new_uninit(GFP_KERNEL) else {
        return;
    };
    check!(*KBox::write(b, want) == want);
}
