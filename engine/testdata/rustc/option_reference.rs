// Option<&T> is a pointer that may be null.
#![no_std]
include!("../prelude.rs");

fn pick<'a>(a: &'a u32, b: &'a u32, n: u8) -> Option<&'a u32> {
    match n { 0 => Some(a), 1 => Some(b), _ => None }
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let (a, b) = (any32(), any32());
    let n = any8();
    if let Some(r) = pick(&a, &b, n) { assert!(*r == if n == 0 { a } else { b }); }
}

#[no_mangle]
pub extern "C" fn check_bad() -> u32 { //~ REFUTED
    let (a, b) = (any32(), any32());
    *pick(&a, &b, any8() & 3).unwrap() //~ unwrap_none REFUTED
}
