// Numbers of seven bits a byte: too long an input overflows the shift.
#![no_std]
include!("../prelude.rs");

fn strict(v: &[u8]) -> Option<u32> {
    let mut n = 0;
    for (i, b) in v.iter().enumerate().take(4) {
        n |= ((b & 127) as u32) << (7 * i);
        if b & 128 == 0 { return Some(n); }
    }
    None
}

fn loose(v: &[u8]) -> u32 {
    let mut n = 0;
    let mut shift = 0;
    for b in v {
        n |= ((b & 127) as u32) << shift; //~ shl_overflow REFUTED
        if b & 128 == 0 { break; }
        shift += 7;
    }
    n
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<6>();
    if let Some(n) = strict(&v) { assert!(n < 1 << 28); }
}

#[no_mangle]
pub extern "C" fn check_bad() -> u32 { //~ REFUTED
    loose(&any_bytes::<6>())
}
