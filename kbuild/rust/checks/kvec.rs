// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/alloc/kvec.rs`: a vector whose allocations may fail.

mod kvfarm;

use kernel::alloc::{flags::GFP_KERNEL, KVec};
use kvfarm::{any, any_in, check, check_eq};

/// Whatever allocation fails, a vector holds just what was pushed and not
/// popped, in order.
#[no_mangle]
pub extern "C" fn check_kvec_push_pop() {
    let mut v: KVec<u16> = KVec::new();
    let values: [u16; 3] = any();
    let mut len = 0;
    for x in values {
        if v.push(x, GFP_KERNEL).is_err() {
            break;
        }
        len += 1;
        check_eq!(v.len(), len);
    }
    while len > 0 {
        len -= 1;
        check_eq!(v.pop(), Some(values[len]));
    }
    check!(v.pop().is_none());
}

/// The same where nothing is popped.
#[no_mangle]
pub extern "C" fn check_kvec_push() {
    let mut v: KVec<u16> = KVec::new();
    let values: [u16; 3] = any();
    let mut len = 0;
    for x in values {
        if v.push(x, GFP_KERNEL).is_err() {
            break;
        }
        len += 1;
    }
    check_eq!(v.len(), len);
    check!(v.is_empty() == (len == 0) && v.capacity() >= len);
    let i: usize = any();
    check_eq!(v.get(i).copied(), if i < len { Some(values[i]) } else { None });
}

/// `with_capacity` gives room for all that was asked for: filling it needs no
/// other allocation.
#[no_mangle]
pub extern "C" fn check_kvec_with_capacity() {
    let n: usize = any_in(0, 4);
    let Ok(mut v) = KVec::<u32>::with_capacity(n, GFP_KERNEL) else {
        return;
    };
    check!(v.capacity() >= n);
    for i in 0..n {
        check!(v.push_within_capacity(i as u32).is_ok());
    }
    check_eq!(v.len(), n);
}

/// `truncate` never makes a vector longer, and keeps what lies before.
#[no_mangle]
pub extern "C" fn check_kvec_truncate() {
    let mut v: KVec<u8> = KVec::new();
    let values: [u8; 3] = any();
    if v.extend_from_slice(&values, GFP_KERNEL).is_err() {
        return;
    }
    let to: usize = any();
    v.truncate(to);
    let kept = if to < 3 { to } else { 3 };
    check_eq!(v.len(), kept);
    check!(kept == 0 || v[kept - 1] == values[kept - 1]);
}
