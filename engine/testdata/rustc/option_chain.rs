// and_then, filter, ok_or, the question mark.
#![no_std]
include!("../prelude.rs");

fn half(n: u8) -> Option<u8> { if n % 2 == 0 { Some(n / 2) } else { None } }

fn eighth(n: u8) -> Option<u8> {
    let a = half(n)?;
    half(a).and_then(half)
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let n = any8();
    match eighth(n) {
        Some(e) => assert!(e * 8 == n),
        None => assert!(n & 7 != 0),
    }
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let n = any8();
    assume(n % 4 == 0);
    eighth(n).unwrap() //~ unwrap_none REFUTED
}
