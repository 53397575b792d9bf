// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/net/phy.rs`: the status accessors read the bits that
//! `include/linux/phy.h` declares.
//!
//! The reference is the accessors that bindgen makes from the header itself. So
//! a position that is written down by hand is found as soon as the header moves
//! a bit.
#![cfg(CONFIG_RUST_PHYLIB_ABSTRACTIONS)]

mod kvfarm;

use core::mem::MaybeUninit;
use kernel::{bindings, net::phy::Device};
use kvfarm::{any_bytes, check_eq};

/// A device of which any bit may be set or clear.
struct Phy(MaybeUninit<bindings::phy_device>);

impl Phy {
    #[inline(always)]
    fn any() -> Self {
        let mut p = MaybeUninit::<bindings::phy_device>::zeroed();
        // SAFETY: The field is made of bytes, and any of them is a valid one.
        unsafe { any_bytes(&raw mut (*p.as_mut_ptr())._bitfield_1) };
        Self(p)
    }

    #[inline(always)]
    fn c(&self) -> &bindings::phy_device {
        // SAFETY: All bytes are zero but those of one bit field: every field is valid.
        unsafe { self.0.assume_init_ref() }
    }

    #[inline(always)]
    fn rust(&self) -> &Device {
        // SAFETY: `Device` is a transparent cover of `phy_device`, and this thread owns it.
        unsafe { &*self.0.as_ptr().cast::<Device>() }
    }
}

/// `is_link_up` is the bit `link`.
#[no_mangle]
pub extern "C" fn check_phy_is_link_up() {
    let phy = Phy::any();
    check_eq!(phy.rust().is_link_up(), phy.c().link() == 1);
}

/// `is_autoneg_enabled` is the bit `autoneg`.
#[no_mangle]
pub extern "C" fn check_phy_is_autoneg_enabled() {
    let phy = Phy::any();
    check_eq!(phy.rust().is_autoneg_enabled(), phy.c().autoneg() == bindings::AUTONEG_ENABLE);
}

/// `is_autoneg_completed` is the bit `autoneg_complete`.
#[no_mangle]
pub extern "C" fn check_phy_is_autoneg_completed() {
    let phy = Phy::any();
    check_eq!(phy.rust().is_autoneg_completed(), phy.c().autoneg_complete() == 1);
}
