// Closures that take by reference and by value; passed as a type and as a dyn.
#![no_std]
include!("../prelude.rs");

fn twice<F: FnMut(u8) -> u8>(mut f: F, x: u8) -> u8 { let y = f(x); f(y) }

fn once(f: &dyn Fn(u8) -> u8, x: u8) -> u8 { f(x) }

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let (k, x) = (any8(), any8());
    let mut calls = 0;
    let r = twice(|v| { calls += 1; v ^ k }, x);
    assert!(r == x && calls == 2);
    assert!(once(&move |v| v | k, x) & k == k);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let (k, x) = (any8() & 127, any8() & 127);
    twice(|v| v + k, x) //~ add_overflow REFUTED
}
