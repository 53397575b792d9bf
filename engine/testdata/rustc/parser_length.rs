// A record with a length in its first byte, as a device sends it.
#![no_std]
include!("../prelude.rs");

fn body(v: &[u8]) -> Option<&[u8]> {
    let n = *v.first()? as usize;
    v.get(1..1 + n)
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<6>();
    if let Some(b) = body(&v) { assert!(b.len() == v[0] as usize && b.len() <= 5); }
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let v = any_bytes::<6>();
    let n = v[0] as usize;
    assume(n < 6);
    v[1..][n] //~ bounds REFUTED
}
