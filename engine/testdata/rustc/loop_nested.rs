// Loops in loops with a label: pairs of equal bytes.
#![no_std]
include!("../prelude.rs");

fn pair(v: &[u8; 4]) -> Option<(usize, usize)> {
    let mut found = None;
    'all: for i in 0..4 {
        for j in i + 1..4 {
            if v[i] == v[j] { found = Some((i, j)); break 'all; }
        }
    }
    found
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<4>();
    match pair(&v) {
        Some((i, j)) => assert!(i < j && v[i] == v[j]),
        None => assert!(v[0] != v[3]),
    }
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let v = any_bytes::<4>();
    if let Some((i, j)) = pair(&v) { assert!(j - i == 1); } //~ panic REFUTED
}
