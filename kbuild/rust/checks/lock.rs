// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/sync/lock.rs` and its two locks: what is taken is given back, once, on every way.

mod kvfarm;

use kernel::{new_mutex, new_spinlock, sync::{Mutex, SpinLock}};
use kvfarm::{any, check, check_eq};
use pin_init::stack_pin_init;

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
    stack_pin_init!(let lock: SpinLock<u32> = new_spinlock!(1));
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
    stack_pin_init!(let lock: Mutex<u64> = new_mutex!(0));
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
    stack_pin_init!(let spin: SpinLock<u32> = new_spinlock!(0));
    {
        let guard = spin.try_lock();
        check_eq!(held::is_held(), guard.is_some());
    }
    check!(!held::is_held());
    stack_pin_init!(let mutex: Mutex<u32> = new_mutex!(0));
    {
        let guard = mutex.try_lock();
        check_eq!(held::is_held(), guard.is_some());
    }
    check!(!held::is_held());
}
