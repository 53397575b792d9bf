// Insertion sort: sorted, and with the same sum.
#![no_std]
include!("../prelude.rs");

fn sort(v: &mut [u8]) {
    for i in 1..v.len() {
        let mut j = i;
        while j > 0 && v[j - 1] > v[j] {
            v.swap(j - 1, j);
            j -= 1;
        }
    }
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut v = any_bytes::<4>();
    let x = v.iter().fold(0, |x, b| x ^ b);
    sort(&mut v);
    assert!(v.iter().fold(0, |x, b| x ^ b) == x);
    for i in 1..4 { assert!(v[i - 1] <= v[i]); }
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let mut v = any_bytes::<4>();
    sort(&mut v[..3]);
    for i in 1..4 { assert!(v[i - 1] <= v[i]); } //~ panic REFUTED
}
