// Negation, division and remainder of the least number; shifts past the width.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() -> i32 { //~ PROVED
    let (a, b) = (any32() as i32, any32() as i32);
    let n = any32() & 31;
    if b == 0 || a == i32::MIN { return 0; }
    a / b + -(a % b).signum() * (1 >> n) / 2
}

#[no_mangle]
pub extern "C" fn check_bad() -> i32 { //~ REFUTED
    let (a, b) = (any32() as i32, any32() as i32);
    let n = any32() & 63;
    let m = -a; //~ neg_overflow REFUTED
    if b == 0 { return m; }
    (a / b) >> n //~ div_overflow PROVED; shr_overflow REFUTED
}
