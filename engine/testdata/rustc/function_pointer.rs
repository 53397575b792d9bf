// A table of functions, chosen by an input.
#![no_std]
include!("../prelude.rs");

fn inc(x: u8) -> u8 { x.wrapping_add(1) }
fn dec(x: u8) -> u8 { x.wrapping_sub(1) }
fn neg(x: u8) -> u8 { 0 - x } //~ sub_overflow REFUTED

static OPS: [fn(u8) -> u8; 3] = [inc, dec, neg];

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let x = any8();
    let f = OPS[below(2)];
    assert!(f(x) != x);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    OPS[below(3)](any8())
}
