// Bytes that are text: upper case, digits, from_utf8 of what is ASCII.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut v = any_bytes::<4>();
    for b in v.iter_mut() { *b &= 127; }
    for b in v { assert!(!b.to_ascii_uppercase().is_ascii_lowercase()); }
    v.make_ascii_lowercase();
    assert!(v.is_ascii());
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let v = any_bytes::<2>();
    assume(v.is_ascii());
    (v[0] - b'0') * 10 + (v[1] - b'0') //~ sub_overflow REFUTED; mul_overflow REFUTED; add_overflow REFUTED
}
