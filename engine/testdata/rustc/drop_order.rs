// Destructors run once, in reverse order, on every way out.
#![no_std]
include!("../prelude.rs");

struct Guard<'a>(&'a mut u8, u8);

impl Drop for Guard<'_> {
    fn drop(&mut self) { *self.0 = *self.0 * 2 + self.1; } //~ mul_overflow PROVED
}

fn run(n: u8) -> u8 {
    let mut log = 0;
    {
        let mut g = Guard(&mut log, 1);
        if n == 0 { return 9; }
        *g.0 += n & 1;
    }
    log
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let n = any8();
    let r = run(n);
    assert!(if n == 0 { r == 9 } else { r == 1 + 2 * (n & 1) });
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    assert!(run(any8()) != 3); //~ panic REFUTED
}
