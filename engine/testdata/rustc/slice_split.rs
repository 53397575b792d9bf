// split_at and the halves.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<5>();
    let n = below(6);
    let (a, b) = v.split_at(n);
    assert!(a.len() + b.len() == 5);
    if let Some(last) = a.last() { assert!(*last == v[n - 1]); }
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let v = any_bytes::<5>();
    let (a, b) = v.split_at(below(6));
    a[0] ^ b[0] //~ bounds REFUTED
}
