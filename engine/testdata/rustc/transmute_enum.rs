// An enum made of a number that is none of its values.
#![no_std]
include!("../prelude.rs");

#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
enum Flag { Off, On }

fn show(f: &Flag) -> u8 { match f { Flag::Off => 10, Flag::On => 20 } }

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let n = any8() & 1;
    let f: Flag = unsafe { core::mem::transmute(n) };
    assert!(show(&f) == 10 + 10 * n);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let n = any8() & 3;
    let f: Flag = unsafe { core::mem::transmute(n) }; //~ assume_false REFUTED
    show(&f)
}
