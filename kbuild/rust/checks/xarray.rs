// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/xarray.rs`: an array of pointers, against what was stored. A store may fail for want of memory.

mod kvfarm;

use core::cell::Cell;
use kernel::{
    alloc::{flags::GFP_KERNEL, KBox},
    xarray::{AllocKind, XArray},
};
use kvfarm::{any, any_in, check, check_eq};
use pin_init::stack_pin_init;

/// One of the kernel's arrays, as if nothing else ran: lib/xarray.c. It has room for a few entries at any index.
mod array {
    use crate::kvfarm::{any, check};
    use core::{cell::Cell, ptr::null_mut};

    type Entry = *mut u8;

    const ROOM: usize = 4;
    const ENOMEM: isize = 12;

    struct Array {
        index: [Cell<usize>; ROOM],
        entry: [Cell<Entry>; ROOM],
        used: Cell<usize>,
        held: Cell<bool>,
    }

    // SAFETY: Nothing else runs.
    unsafe impl Sync for Array {}

    static ARRAY: Array = Array {
        index: [const { Cell::new(0) }; ROOM],
        entry: [const { Cell::new(null_mut()) }; ROOM],
        used: Cell::new(0),
        held: Cell::new(false),
    };

    fn place(index: usize) -> Option<usize> {
        (0..ARRAY.used.get()).find(|i| ARRAY.index[*i].get() == index)
    }

    #[no_mangle]
    extern "C" fn rust_helper_xa_init_flags(_xa: *mut u8, _flags: u32) {}

    #[no_mangle]
    extern "C" fn rust_helper_xa_lock(_xa: *mut u8) {
        check!(!ARRAY.held.get());
        ARRAY.held.set(true);
    }

    #[no_mangle]
    extern "C" fn rust_helper_xa_unlock(_xa: *mut u8) {
        check!(ARRAY.held.get());
        ARRAY.held.set(false);
    }

    #[no_mangle]
    extern "C" fn xa_load(_xa: *mut u8, index: usize) -> Entry {
        place(index).map_or(null_mut(), |i| ARRAY.entry[i].get())
    }

    #[no_mangle]
    extern "C" fn __xa_erase(_xa: *mut u8, index: usize) -> Entry {
        check!(ARRAY.held.get());
        place(index).map_or(null_mut(), |i| ARRAY.entry[i].replace(null_mut()))
    }

    /// The old entry, or an error: a number that no aligned address is.
    #[no_mangle]
    extern "C" fn __xa_store(_xa: *mut u8, index: usize, entry: Entry, _gfp: u32) -> Entry {
        check!(ARRAY.held.get());
        let at = place(index).unwrap_or(ARRAY.used.get());
        if at == ROOM || any() {
            return (-ENOMEM << 2 | 2) as usize as Entry;
        }
        if at == ARRAY.used.get() {
            ARRAY.used.set(at + 1);
            ARRAY.index[at].set(index);
        }
        ARRAY.entry[at].replace(entry)
    }

    #[no_mangle]
    extern "C" fn rust_helper_xa_err(entry: Entry) -> i32 {
        let n = entry as usize as isize;
        if n & 3 == 2 && n >= -4095 << 2 && n < 0 {
            (n >> 2) as i32
        } else {
            0
        }
    }

    /// The first entry at `from` or behind; `ARRAY` has no order, so the least index is looked for.
    fn find(index: *mut usize, from: Option<usize>) -> Entry {
        let mut best: Option<usize> = None;
        for i in 0..ARRAY.used.get() {
            let n = ARRAY.index[i].get();
            let before = best.is_none_or(|b| n < ARRAY.index[b].get());
            if !ARRAY.entry[i].get().is_null() && from.is_some_and(|f| n >= f) && before {
                best = Some(i);
            }
        }
        best.map_or(null_mut(), |i| {
            // SAFETY: The caller owns the index.
            unsafe { *index = ARRAY.index[i].get() };
            ARRAY.entry[i].get()
        })
    }

    #[no_mangle]
    unsafe extern "C" fn xa_find(_xa: *mut u8, index: *mut usize, _max: usize, _filter: u32) -> Entry {
        // SAFETY: The caller owns the index.
        find(index, Some(unsafe { *index }))
    }

    #[no_mangle]
    unsafe extern "C" fn xa_find_after(_xa: *mut u8, index: *mut usize, _max: usize, _filter: u32) -> Entry {
        // SAFETY: The caller owns the index.
        find(index, unsafe { *index }.checked_add(1))
    }

    #[no_mangle]
    extern "C" fn xa_destroy(_xa: *mut u8) {}
}

/// What is stored is found at its index until it is replaced or removed, and a store that fails changes nothing and
/// gives back the value.
#[no_mangle]
pub extern "C" fn check_xarray_sequence() {
    stack_pin_init!(let array = XArray::<KBox<u32>>::new(AllocKind::Alloc));
    let index: [usize; 2] = any();
    let mut held = [None; 2];
    let mut guard = array.lock();
    for _ in 0..3 {
        let at: usize = any_in(0, 1);
        let both = index[0] == index[1];
        let mut now = held[at];
        if any() {
            let value: u32 = any();
            let Ok(b) = KBox::new(value, GFP_KERNEL) else { return };
            match guard.store(index[at], b, GFP_KERNEL) {
                Ok(old) => {
                    check_eq!(old.map(|b| *b), now);
                    now = Some(value);
                }
                Err(e) => check_eq!(*e.value, value),
            }
        } else {
            check_eq!(guard.remove(index[at]).map(|b| *b), now);
            now = None;
        }
        held[at] = now;
        if both {
            held = [now; 2];
        }
        for i in 0..2 {
            check_eq!(guard.get(index[i]).copied(), held[i]);
        }
    }
}

/// A value that says how often it was dropped.
struct Told(&'static Cell<u32>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

struct Count(Cell<u32>);

// SAFETY: Nothing else runs.
unsafe impl Sync for Count {}

static DROPPED: Count = Count(Cell::new(0));

/// All that is in an array is dropped with it, once.
#[no_mangle]
pub extern "C" fn check_xarray_drops_once() {
    let mut made = 0;
    {
        stack_pin_init!(let array = XArray::<KBox<Told>>::new(AllocKind::Alloc));
        let mut guard = array.lock();
        for _ in 0..2 {
            if let Ok(b) = KBox::new(Told(&DROPPED.0), GFP_KERNEL) {
                let _ = guard.store(any(), b, GFP_KERNEL);
            }
            made += 1;
        }
        drop(guard);
    }
    check_eq!(DROPPED.0.get(), made);
}
