// Discriminants with gaps, to a number and back.
#![no_std]
include!("../prelude.rs");

#[derive(Clone, Copy)]
#[repr(u8)]
enum Color { Red = 1, Green = 4, Blue = 9 }

fn from(n: u8) -> Option<Color> {
    match n { 1 => Some(Color::Red), 4 => Some(Color::Green), 9 => Some(Color::Blue), _ => None }
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let n = any8();
    if let Some(c) = from(n) { assert!(c as u8 == n); }
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let n = any8();
    if let Some(c) = from(n) { assert!(c as u8 % 2 == 1); } //~ panic REFUTED
}
