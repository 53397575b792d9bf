// Chunks and windows cover the slice.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<6>();
    let mut total = 0u16;
    for c in v.chunks_exact(2) { total += c[0] as u16 + c[1] as u16; }
    let mut same = 0u16;
    for b in v { same += b as u16; }
    assert!(total == same);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u16 { //~ REFUTED
    let v = any_bytes::<5>();
    let mut total = 0;
    for c in v.chunks(2) { total += c[0] as u16 + c[1] as u16; } //~ bounds REFUTED
    total
}
