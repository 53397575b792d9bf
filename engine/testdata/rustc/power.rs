// Powers: checked_pow against a loop, and one too large.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let n = any32() & 7;
    match 10u32.checked_pow(n) { Some(p) => assert!(p <= 10_000_000), None => assert!(false) }
    assert!(2u8.checked_pow(8 + n).is_none());
}

#[no_mangle]
pub extern "C" fn check_bad() -> u32 { //~ REFUTED
    let n = any32();
    assume(n <= 10);
    let mut p = 1u32;
    for _ in 0..n { p *= 10; } //~ mul_overflow REFUTED
    p
}
