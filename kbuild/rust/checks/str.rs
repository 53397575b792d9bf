// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/str.rs`: byte strings, formatters over a buffer, numbers in text.

mod kvfarm;

use core::fmt::Write;
use kernel::str::BStr;
use kvfarm::{any_in, check, check_eq, Bytes};

/// `strip_prefix` answers just if all bytes of the prefix are there, and gives
/// what follows them.
#[no_mangle]
pub extern "C" fn check_bstr_strip_prefix() {
    let text = Bytes::<4>::any();
    let prefix = Bytes::<2>::any();
    let (t, p) = (text.as_slice(), prefix.as_slice());
    let starts = p.len() <= t.len() && (p.is_empty() || p[0] == t[0]) && (p.len() < 2 || p[1] == t[1]);
    match BStr::from_bytes(t).strip_prefix(BStr::from_bytes(p)) {
        Some(rest) => check!(starts && rest.len() == t.len() - p.len()),
        None => check!(!starts),
    }
}

/// A `Formatter` takes what fits its buffer, says so of what does not, and
/// never writes past the end.
#[no_mangle]
pub extern "C" fn check_formatter_bounds() {
    use kernel::str::Formatter;
    let mut room = Bytes::<4>::any();
    let len = room.as_slice().len();
    let first = text(any_in(0, 3));
    let second = text(any_in(0, 3));
    let mut f = Formatter::new(room.as_mut_slice());
    check_eq!(f.write_str(first).is_ok(), first.len() <= len);
    check_eq!(f.write_str(second).is_ok(), first.len() + second.len() <= len);
    check_eq!(f.bytes_written(), first.len() + second.len());
}

/// A `NullTerminatedFormatter` keeps room for the zero, and refuses what does
/// not fit beside it.
#[no_mangle]
pub extern "C" fn check_null_terminated_formatter() {
    use kernel::str::NullTerminatedFormatter;
    let mut room = Bytes::<4>::any();
    let len = room.as_slice().len();
    let first = text(any_in(0, 3));
    match NullTerminatedFormatter::new(room.as_mut_slice()) {
        None => check_eq!(len, 0),
        Some(mut f) => check_eq!(f.write_str(first).is_ok(), first.len() < len),
    }
    let end = if first.len() < len { first.len() } else { 0 };
    check!(len == 0 || room.as_slice()[end] == 0);
}

/// The first `n` bytes of a text.
#[inline(always)]
fn text(n: usize) -> &'static str {
    match n {
        0 => "",
        1 => "a",
        2 => "ab",
        _ => "abc",
    }
}

/// A number of three decimal digits is read if it fits the type, and is that number.
#[no_mangle]
pub extern "C" fn check_parse_int_decimal() {
    use kernel::str::parse_int::ParseInt;
    // Without a leading zero: that says octal.
    let digits: [u8; 3] = [any_in(1, 9), any_in(0, 9), any_in(0, 9)];
    let text = [b'0' + digits[0], b'0' + digits[1], b'0' + digits[2]];
    let exact = digits[0] as u32 * 100 + digits[1] as u32 * 10 + digits[2] as u32;
    match u8::from_str(BStr::from_bytes(&text)) {
        Ok(n) => check_eq!(n as u32, exact),
        Err(_) => check!(exact > 255),
    }
}

/// No text of up to three bytes makes the parser fail but by saying so.
#[no_mangle]
pub extern "C" fn check_parse_int_any_text() {
    use kernel::str::parse_int::ParseInt;
    let text = Bytes::<3>::any();
    let n = i8::from_str(BStr::from_bytes(text.as_slice()));
    check!(n.is_err() || !text.as_slice().is_empty());
}
