// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/io.rs`: nothing outside of a device's registers is ever touched.

mod kvfarm;

use kernel::io::{Io, Mmio, MmioRaw};
use kvfarm::{any, any_in, assume, check, check_eq};

/// A device with registers from an address on, which answers what it likes.
mod device {
    use crate::kvfarm::{any, check, check_eq};
    use core::cell::Cell;

    struct Device {
        addr: Cell<usize>,
        size: Cell<usize>,
        touched: Cell<u32>,
    }

    // SAFETY: Nothing else runs.
    unsafe impl Sync for Device {}

    static DEVICE: Device = Device { addr: Cell::new(0), size: Cell::new(0), touched: Cell::new(0) };

    pub fn lies_at(addr: usize, size: usize) {
        DEVICE.addr.set(addr);
        DEVICE.size.set(size);
    }

    pub fn touched() -> u32 {
        DEVICE.touched.get()
    }

    fn touch(addr: usize, bytes: usize) {
        let offset = addr.wrapping_sub(DEVICE.addr.get());
        check!(bytes <= DEVICE.size.get() && offset <= DEVICE.size.get() - bytes);
        check_eq!(offset % bytes, 0);
        DEVICE.touched.set(DEVICE.touched.get() + 1);
    }

    #[no_mangle]
    extern "C" fn rust_helper_readb(addr: *const u8) -> u8 {
        touch(addr as usize, 1);
        any()
    }

    #[no_mangle]
    extern "C" fn rust_helper_readl(addr: *const u8) -> u32 {
        touch(addr as usize, 4);
        any()
    }

    #[no_mangle]
    extern "C" fn rust_helper_writel(_value: u32, addr: *mut u8) {
        touch(addr as usize, 4);
    }

    #[no_mangle]
    extern "C" fn rust_helper_writew(_value: u16, addr: *mut u8) {
        touch(addr as usize, 2);
    }
}

/// Registers anywhere, and any number of them.
fn registers() -> MmioRaw {
    let (addr, size): (usize, usize) = any();
    assume(addr.checked_add(size).is_some());
    device::lies_at(addr, size);
    match MmioRaw::new(addr, size) {
        Ok(raw) => raw,
        Err(_) => {
            check!(false);
            loop {}
        }
    }
}

/// A read or write at any offset touches one register, wholly inside and aligned, or fails and touches none.
#[no_mangle]
pub extern "C" fn check_io_try() {
    let raw = registers();
    // SAFETY: The device is there.
    let io = unsafe { Mmio::from_raw(&raw) };
    let offset: usize = any();
    let which: u8 = any_in(0, 3);
    let (bytes, ok) = match which {
        0 => (1, io.try_read8(offset).is_ok()),
        1 => (4, io.try_read32(offset).is_ok()),
        2 => (2, io.try_write16(any(), offset).is_ok()),
        _ => (4, io.try_write32(any(), offset).is_ok()),
    };
    let inside = offset % bytes == 0 && offset as u128 + bytes as u128 <= raw.maxsize() as u128;
    check_eq!(ok, inside);
    check_eq!(device::touched(), u32::from(ok));
}

/// Registers whose number is known beforehand are only had if there are as many.
#[no_mangle]
pub extern "C" fn check_io_known_size() {
    let (addr, size): (usize, usize) = any();
    match MmioRaw::<64>::new(addr, size) {
        Ok(raw) => {
            check!(size >= 64);
            check_eq!(raw.addr(), addr);
            check_eq!(raw.maxsize(), size);
        }
        Err(_) => check!(size < 64),
    }
}
