// copy_from_slice wants equal lengths, and fails within core.
//~ copy_from_slice REFUTED
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<4>();
    let mut w = [0u8; 8];
    let at = below(5);
    w[at..at + 4].copy_from_slice(&v);
    assert!(w[at] == v[0] && w[at + 3] == v[3]);
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let v = any_bytes::<4>();
    let mut w = [0u8; 8];
    let at = below(5);
    w[at..].copy_from_slice(&v);
}
