// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/uaccess.rs`: how far a reader or writer of user memory has come, whatever user space does.

mod kvfarm;

use kernel::uaccess::{UserPtr, UserSlice};
use kvfarm::{any, any_bytes, any_in, check, check_eq};

/// Any address, which is a number in older kernels.
#[inline(always)]
fn address() -> UserPtr {
    let mut p = core::mem::MaybeUninit::<UserPtr>::uninit();
    // SAFETY: Any bytes are an address, and all of them are written.
    unsafe {
        any_bytes(p.as_mut_ptr());
        p.assume_init()
    }
}

/// Reading takes just what was asked for, if it is there; where it fails the reader has not moved.
#[no_mangle]
pub extern "C" fn check_user_read() {
    let (len, n): (usize, usize) = (any(), any_in(0, 4));
    let mut reader = UserSlice::new(address(), len).reader();
    let mut buf = [0; 4];
    let ok = reader.read_slice(&mut buf[..n]).is_ok();
    check!(!ok || n <= len);
    check_eq!(reader.len(), if ok { len - n } else { len });
    check_eq!(reader.is_empty(), reader.len() == 0);
}

/// Reads one after the other never come to more than there was.
#[no_mangle]
pub extern "C" fn check_user_read_sequence() {
    let len: usize = any();
    let mut reader = UserSlice::new(address(), len).reader();
    let mut done: usize = 0;
    for _ in 0..3 {
        if any() {
            if reader.read::<u16>().is_ok() {
                done += 2;
            }
        } else {
            let n: usize = any_in(0, 1 << 20);
            if reader.skip(n).is_ok() {
                done += n;
            }
        }
        check!(done <= len);
        check_eq!(reader.len(), len - done);
        check_eq!(reader.clone_reader().len(), reader.len());
    }
}

/// `skip` goes as far as it is told or not at all.
#[no_mangle]
pub extern "C" fn check_user_skip() {
    let (len, n): (usize, usize) = (any(), any());
    let mut reader = UserSlice::new(address(), len).reader();
    check_eq!(reader.skip(n).is_ok(), n <= len);
    check_eq!(reader.len(), if n <= len { len - n } else { len });
}

/// A partial read begins at its offset, and is as long as both sides allow.
#[no_mangle]
pub extern "C" fn check_user_read_partial() {
    let (len, offset): (usize, usize) = (any(), any());
    let mut reader = UserSlice::new(address(), len).reader();
    let mut buf = [0; 4];
    let room = buf.len().saturating_sub(offset);
    if let Ok(n) = reader.read_slice_partial(&mut buf, offset) {
        check_eq!(n, if len < room { len } else { room });
        check_eq!(reader.len(), len - n);
    } else {
        check_eq!(reader.len(), len);
    }
}

/// Writing takes just what was asked for, if there is room; where it fails the writer has not moved.
#[no_mangle]
pub extern "C" fn check_user_write() {
    let (len, n): (usize, usize) = (any(), any_in(0, 4));
    let mut writer = UserSlice::new(address(), len).writer();
    let buf: [u8; 4] = any();
    let ok = writer.write_slice(&buf[..n]).is_ok();
    check!(!ok || n <= len);
    check_eq!(writer.len(), if ok { len - n } else { len });
}
