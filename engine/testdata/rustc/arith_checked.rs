// Overflow checks of all widths; the checked_ methods see what the operators panic on.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() -> u8 { //~ PROVED
    let (a, b) = (any8(), any8());
    match a.checked_add(b) {
        Some(s) => s - a,
        None => u8::MAX - a,
    }
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let (a, b) = (any8(), any8());
    let wide = a as u16 * b as u16;
    if wide > 255 { 0 } else { a + b } //~ add_overflow REFUTED
}
