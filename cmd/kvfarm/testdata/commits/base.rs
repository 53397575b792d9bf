// SPDX-License-Identifier: GPL-2.0

//! What the synthetic commits are made of: it takes the place of a sample.

use kernel::prelude::*;

module! {
    type: Commits,
    name: "rust_minimal",
    authors: ["kvfarm"],
    description: "synthetic commits",
    license: "GPL",
}

struct Commits;

impl kernel::Module for Commits {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("commits @RUN@\n");
        Ok(Commits)
    }
}

/// Another number in each run of the test, so that no earlier run has left proofs.
const RUN: u32 = @RUN@;

const LIMIT: usize = 8;

static TABLE: [u8; 8] = [1, 2, 3, 5, 7, 11, 13, 17];

#[inline(never)]
fn clamp(n: usize) -> usize {
    if n < LIMIT {
        n
    } else {
        LIMIT - 1
    }
}

/// An entry of the table, the last one for what lies beyond.
#[no_mangle]
pub extern "C" fn commits_lookup(n: usize) -> u8 {
    let at = clamp(n ^ RUN as usize);
    TABLE[at]
}

/// Two thirds of a number.
#[no_mangle]
pub extern "C" fn commits_third(n: u32) -> u32 {
    let third = (n ^ RUN) / 3;
    if third > n ^ RUN {
        panic!("a third is more than the whole");
    }
    (n ^ RUN) - third
}

/// Whether a list has no entry.
#[no_mangle]
pub extern "C" fn commits_list(list: &kernel::bindings::hlist_head, n: u32) -> bool {
    list.first.is_null() && n != RUN
}

/// Time in whole milliseconds.
#[no_mangle]
pub extern "C" fn commits_millis(nanos: i64) -> i64 {
    kernel::time::Delta::from_nanos(nanos ^ i64::from(RUN)).as_millis()
}
