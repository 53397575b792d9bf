// Errors with data, passed up by the question mark.
#![no_std]
include!("../prelude.rs");

#[derive(PartialEq, Clone, Copy)]
enum Error { Empty, Digit(u8), Overflow }

fn parse(s: &[u8]) -> Result<u8, Error> {
    if s.is_empty() { return Err(Error::Empty); }
    let mut n = 0u8;
    for &c in s {
        let d = c.wrapping_sub(b'0');
        if d > 9 { return Err(Error::Digit(c)); }
        n = n.checked_mul(10).and_then(|n| n.checked_add(d)).ok_or(Error::Overflow)?;
    }
    Ok(n)
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let s = any_bytes::<3>();
    let n = below(4);
    match parse(&s[..n]) {
        Ok(v) => assert!(n > 0 && (n > 2 || v < 100)),
        Err(Error::Empty) => assert!(n == 0),
        Err(Error::Digit(c)) => assert!(!c.is_ascii_digit()),
        Err(Error::Overflow) => assert!(n == 3),
    }
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let s = any_bytes::<3>();
    if let Err(e) = parse(&s) { assert!(!(e == Error::Overflow)); } //~ panic REFUTED
}
