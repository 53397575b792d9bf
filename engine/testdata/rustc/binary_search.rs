// Halving a sorted array; the middle of a sum, and a bound that is off by one.
#![no_std]
include!("../prelude.rs");

fn search(v: &[u8; 7], x: u8) -> Option<usize> {
    let (mut low, mut high) = (0, v.len());
    while low < high {
        let m = low + (high - low) / 2;
        if v[m] == x { return Some(m); }
        if v[m] < x { low = m + 1; } else { high = m; }
    }
    None
}

fn search_bad(v: &[u8; 7], x: u8) -> Option<usize> {
    let (mut low, mut high) = (0, v.len());
    while low <= high {
        let m = (low + high) / 2;
        if v[m] == x { return Some(m); } //~ bounds REFUTED
        if v[m] < x { low = m + 1; } else { high = m - 1; } //~ sub_overflow REFUTED
    }
    None
}

fn sorted() -> [u8; 7] {
    let v = any_bytes::<7>();
    for i in 1..7 { assume(v[i - 1] <= v[i]); }
    v
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = sorted();
    let i = below(7);
    assert!(search(&v, v[i]).is_some());
    if let Some(k) = search(&v, any8()) { assert!(k < 7); }
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    search_bad(&sorted(), any8());
}
