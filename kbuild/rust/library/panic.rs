// SPDX-License-Identifier: GPL-2.0

//! The panic handler of native runs. It takes the place of the one that a file
//! may bring along: a prover does not look into that either.

#![no_std]

use core::fmt::{self, Write};

extern "C" {
    fn kvfarm_panicked(text: *const u8, len: usize) -> !;
}

struct Text {
    bytes: [u8; 1024],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for b in s.bytes() {
            // What does not fit is left out: the place comes first.
            if let Some(to) = self.bytes.get_mut(self.len) {
                *to = b;
                self.len += 1;
            }
        }
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let mut text = Text { bytes: [0; 1024], len: 0 };
    let _ = write!(text, "{info}");
    // SAFETY: The text is valid for its length.
    unsafe { kvfarm_panicked(text.bytes.as_ptr(), text.len) }
}
