// An iterator of our own: Collatz numbers.
#![no_std]
include!("../prelude.rs");

struct Collatz(u16);

impl Iterator for Collatz {
    type Item = u16;
    fn next(&mut self) -> Option<u16> {
        if self.0 == 1 { return None; }
        self.0 = if self.0 % 2 == 0 { self.0 / 2 } else { self.0 * 3 + 1 }; //~ mul_overflow REFUTED; add_overflow REFUTED
        Some(self.0)
    }
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let n = any16() & 7;
    assume(n > 0);
    assert!(Collatz(n).take(16).max().unwrap_or(1) <= 52);
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let n = any16();
    assume(n > 0);
    Collatz(n).next();
}
