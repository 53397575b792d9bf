// Bits in words: the word of the last bit.
#![no_std]
include!("../prelude.rs");

struct Bitmap { words: [u32; 2], bits: usize }

impl Bitmap {
    fn set(&mut self, i: usize) { self.words[i / 32] |= 1 << (i % 32); } //~ bounds REFUTED
    fn get(&self, i: usize) -> bool { i < self.bits && self.words[i / 32] >> (i % 32) & 1 == 1 }
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut m = Bitmap { words: [0; 2], bits: 50 };
    let (i, j) = (below(50), below(64));
    m.set(i);
    assert!(m.get(i) && m.get(j) == (i == j));
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let mut m = Bitmap { words: [0; 2], bits: 64 };
    m.set(below(65));
}
