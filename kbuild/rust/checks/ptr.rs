// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/ptr.rs`: alignments, and rounding to them.

mod kvfarm;

use kernel::ptr::{Alignable, Alignment};
use kvfarm::{any, any_in, check, check_eq};

/// Any alignment.
#[inline(always)]
fn alignment() -> Alignment {
    let log2: u32 = any_in(0, usize::BITS - 1);
    match Alignment::new_checked(1 << log2) {
        Some(a) => a,
        None => {
            check!(false);
            Alignment::new::<1>()
        }
    }
}

/// An `Alignment` is made of the powers of two and of nothing else; its parts agree.
#[no_mangle]
pub extern "C" fn check_alignment() {
    let n: usize = any();
    let a = Alignment::new_checked(n);
    check_eq!(a.is_some(), n != 0 && n & n.wrapping_sub(1) == 0);
    if let Some(a) = a {
        check_eq!(a.as_usize(), n);
        check_eq!(1 << a.log2(), n);
        check_eq!(a.mask(), !(n - 1));
    }
}

/// `align_down` is the greatest multiple that is not above the number.
#[no_mangle]
pub extern "C" fn check_align_down() {
    let n: usize = any();
    let a = alignment();
    let down = n.align_down(a);
    check!(down <= n && n - down < a.as_usize());
    check_eq!(down & (a.as_usize() - 1), 0);
}

/// `align_up` is the least multiple that is not below the number, and nothing
/// where that does not fit.
#[no_mangle]
pub extern "C" fn check_align_up() {
    let n: usize = any();
    let a = alignment();
    let exact = (n as u128 + a.as_usize() as u128 - 1) & !(a.as_usize() as u128 - 1);
    match n.align_up(a) {
        Some(up) => check_eq!(up as u128, exact),
        None => check!(exact > usize::MAX as u128),
    }
}

/// The same in a type that is narrower than the alignment may be: there is no
/// multiple but zero then.
#[no_mangle]
pub extern "C" fn check_align_up_narrow() {
    let n: u8 = any();
    let a = alignment();
    let exact = (n as u128 + a.as_usize() as u128 - 1) & !(a.as_usize() as u128 - 1);
    match n.align_up(a) {
        Some(up) => check_eq!(up as u128, exact),
        None => check!(exact > u8::MAX as u128),
    }
}
