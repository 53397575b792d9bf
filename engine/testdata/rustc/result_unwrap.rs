// Conversions between integers that may fail. unwrap is given its caller's place, so the site is in core.
//~ unwrap_failed REFUTED
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() -> u8 { //~ PROVED
    let n = any32();
    if n < 256 { u8::try_from(n).unwrap() } else { u8::try_from(n >> 24).unwrap() }
}

#[no_mangle]
pub extern "C" fn check_bad() -> i8 { //~ REFUTED
    let n = any8();
    i8::try_from(n).unwrap()
}
