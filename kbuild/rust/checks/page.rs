// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/page.rs`: rounding up to whole pages.

mod kvfarm;

use kernel::page::{PAGE_MASK, PAGE_SHIFT, PAGE_SIZE};
use kvfarm::{any, check, check_eq};

/// `page_align` is the least multiple of the page size that is not below the
/// address, and nothing where that does not fit.
#[no_mangle]
pub extern "C" fn check_page_align() {
    use kernel::page::page_align;
    let addr: usize = any();
    let exact = (addr as u128 + PAGE_SIZE as u128 - 1) >> PAGE_SHIFT << PAGE_SHIFT;
    match page_align(addr) {
        Some(up) => check_eq!(up as u128, exact),
        None => check!(exact > usize::MAX as u128),
    }
}

/// Mask and shift take an address apart into page and offset.
#[no_mangle]
pub extern "C" fn check_page_mask() {
    let addr: usize = any();
    check_eq!(addr & PAGE_MASK, addr >> PAGE_SHIFT << PAGE_SHIFT);
    check!(addr & !PAGE_MASK < PAGE_SIZE);
    check_eq!((addr & PAGE_MASK) + (addr & !PAGE_MASK), addr);
}
