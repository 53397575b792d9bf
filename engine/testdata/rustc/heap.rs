// A binary heap in an array: push, pop the least.
#![no_std]
include!("../prelude.rs");

struct Heap { data: [u8; 4], len: usize }

impl Heap {
    fn push(&mut self, x: u8) {
        let mut i = self.len;
        self.data[i] = x; //~ bounds REFUTED
        self.len += 1;
        while i > 0 && self.data[(i - 1) / 2] > self.data[i] {
            self.data.swap(i, (i - 1) / 2);
            i = (i - 1) / 2;
        }
    }
    fn least(&self) -> u8 { self.data[0] }
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut h = Heap { data: [0; 4], len: 0 };
    let v = any_bytes::<4>();
    for b in v { h.push(b); }
    for b in v { assert!(h.least() <= b); }
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let mut h = Heap { data: [0; 4], len: 0 };
    for _ in 0..below(6) { h.push(any8()); }
}
