// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/ioctl.rs`: numbers of ioctls, as the C header lays them out.

mod kvfarm;

use kernel::ioctl::{_IO, _IOC_DIR, _IOC_NR, _IOC_SIZE, _IOC_TYPE, _IOR, _IOW, _IOWR};
use kvfarm::{any, check, check_eq};

/// The parts of any number fit their fields and make the number again.
#[no_mangle]
pub extern "C" fn check_ioctl_parts() {
    let nr: u32 = any();
    check!(_IOC_DIR(nr) < 4);
    check!(_IOC_SIZE(nr) < 1 << 14);
    check!(_IOC_TYPE(nr) < 1 << 8);
    check!(_IOC_NR(nr) < 1 << 8);
    let size = _IOC_SIZE(nr) as u32;
    check_eq!(_IOC_DIR(nr) << 30 | size << 16 | _IOC_TYPE(nr) << 8 | _IOC_NR(nr), nr);
}

/// A number that was made has the parts that it was made of, and the direction
/// is the user's: what user space writes is told from what it reads.
#[no_mangle]
pub extern "C" fn check_ioctl_numbers() {
    let numbers = [_IO(0x62, 1), _IOW::<u64>(0x62, 2), _IOR::<[u8; 4096]>(0x62, 3), _IOWR::<[u32; 12]>(0x62, 0xff)];
    let parts = [(0, 0, 1), (1, 8, 2), (2, 4096, 3), (3, 48, 0xff)];
    let mut i = 0;
    while i < numbers.len() {
        let (dir, size, nr) = parts[i];
        check_eq!(_IOC_DIR(numbers[i]), dir);
        check_eq!(_IOC_SIZE(numbers[i]), size);
        check_eq!(_IOC_TYPE(numbers[i]), 0x62);
        check_eq!(_IOC_NR(numbers[i]), nr);
        i += 1;
    }
}
