// Three exclusive-ors swap two places, unless they are one.
#![no_std]
include!("../prelude.rs");

fn swap(v: &mut [u8; 4], i: usize, j: usize) {
    v[i] ^= v[j];
    v[j] ^= v[i];
    v[i] ^= v[j];
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut v = any_bytes::<4>();
    let old = v;
    let (i, j) = (below(4), below(4));
    assume(i != j);
    swap(&mut v, i, j);
    assert!(v[i] == old[j] && v[j] == old[i]);
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let mut v = any_bytes::<4>();
    let old = v;
    let (i, j) = (below(4), below(4));
    swap(&mut v, i, j);
    assert!(v[i] == old[j]); //~ panic REFUTED
}
