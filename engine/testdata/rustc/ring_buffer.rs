// Indices modulo a capacity: full, empty, wrapped around.
#![no_std]
include!("../prelude.rs");

struct Ring { data: [u8; 4], head: usize, len: usize }

impl Ring {
    fn push(&mut self, x: u8) -> bool {
        if self.len == 4 { return false; }
        self.data[(self.head + self.len) % 4] = x;
        self.len += 1;
        true
    }
    fn pop(&mut self) -> Option<u8> {
        if self.len == 0 { return None; }
        let x = self.data[self.head];
        self.head = (self.head + 1) % 4;
        self.len -= 1;
        Some(x)
    }
    fn last(&self) -> u8 { self.data[self.head + self.len - 1] } //~ bounds REFUTED; sub_overflow REFUTED
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut r = Ring { data: [0; 4], head: below(4), len: 0 };
    let v = any_bytes::<3>();
    for b in v { assert!(r.push(b)); }
    for b in v { assert!(r.pop() == Some(b)); }
    assert!(r.pop().is_none());
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let mut r = Ring { data: [0; 4], head: below(4), len: 0 };
    for _ in 0..below(5) { r.push(any8()); }
    r.last()
}
