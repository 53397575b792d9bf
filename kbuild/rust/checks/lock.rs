// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/sync/lock.rs` and its two locks: what is taken is given back, once, on every way.

mod kvfarm;

use core::{convert::Infallible, mem::MaybeUninit};
use kernel::{
    new_mutex, new_spinlock,
    prelude::{Pin, PinInit},
    sync::{Mutex, SpinLock},
};
use kvfarm::{any, check, check_eq};

/// Makes a value in its place, as `stack_pin_init` does, which is not in every kernel's `pin_init`.
#[inline(always)]
fn made<T>(place: &mut MaybeUninit<T>, init: impl PinInit<T, Infallible>) -> Pin<&mut T> {
    // SAFETY: The place is borrowed for as long as the value is used, and never moves: what lies there is not dropped.
    unsafe {
        let Ok(()) = init.__pinned_init(place.as_mut_ptr());
        Pin::new_unchecked(place.assume_init_mut())
    }
}

/// One lock of the kernel, as if nothing else ran: whether it is taken. To take it twice is a deadlock, to give back
/// what one does not have is a bug.
mod held {
    use crate::kvfarm::{any, check};
    use core::cell::Cell;

    struct Held(Cell<bool>);

    // SAFETY: Nothing else runs.
    unsafe impl Sync for Held {}

    static HELD: Held = Held(Cell::new(false));

    pub fn is_held() -> bool {
        HELD.0.get()
    }

    fn take() {
        check!(!is_held());
        HELD.0.set(true);
    }

    fn give() {
        check!(is_held());
        HELD.0.set(false);
    }

    fn try_take() -> i32 {
        let free = !is_held() && any();
        if free {
            take();
        }
        i32::from(free)
    }

    #[no_mangle]
    extern "C" fn rust_helper_spin_lock(_lock: *mut u8) {
        take()
    }

    #[no_mangle]
    extern "C" fn rust_helper_spin_unlock(_lock: *mut u8) {
        give()
    }

    #[no_mangle]
    extern "C" fn rust_helper_spin_trylock(_lock: *mut u8) -> i32 {
        try_take()
    }

    #[no_mangle]
    extern "C" fn mutex_lock(_lock: *mut u8) {
        take()
    }

    #[no_mangle]
    extern "C" fn mutex_unlock(_lock: *mut u8) {
        give()
    }

    #[no_mangle]
    extern "C" fn mutex_trylock(_lock: *mut u8) -> i32 {
        try_take()
    }
}

/// A spin lock is held while its guard lives, and no longer; what was written under it is found under it.
#[no_mangle]
pub extern "C" fn check_spinlock_guard() {
    let want: u32 = any();
    let mut place = MaybeUninit::uninit();
    let lock: Pin<&mut SpinLock<u32>> = made(&mut place, new_spinlock!(1));
    {
        let mut guard = lock.lock();
        check!(held::is_held());
        if any() {
            check_eq!(*guard, 1);
        }
        *guard = want;
    }
    check!(!held::is_held());
    check_eq!(*lock.lock(), want);
    check!(!held::is_held());
}

/// The same for a mutex.
#[no_mangle]
pub extern "C" fn check_mutex_guard() {
    let want: u64 = any();
    let mut place = MaybeUninit::uninit();
    let lock: Pin<&mut Mutex<u64>> = made(&mut place, new_mutex!(0));
    *lock.lock() = want;
    check!(!held::is_held());
    let guard = lock.lock();
    check!(held::is_held());
    check_eq!(*guard, want);
    drop(guard);
    check!(!held::is_held());
}

/// A lock that is only tried for is held if and only if there is a guard.
#[no_mangle]
pub extern "C" fn check_lock_try() {
    let (mut place, mut other) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    let spin: Pin<&mut SpinLock<u32>> = made(&mut place, new_spinlock!(0));
    {
        let guard = spin.try_lock();
        check_eq!(held::is_held(), guard.is_some());
    }
    check!(!held::is_held());
    let mutex: Pin<&mut Mutex<u32>> = made(&mut other, new_mutex!(0));
    {
        let guard = mutex.try_lock();
        check_eq!(held::is_held(), guard.is_some());
    }
    check!(!held::is_held());
}
