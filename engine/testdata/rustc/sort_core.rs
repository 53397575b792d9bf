// core's own sort of a short slice.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut v = any_bytes::<4>();
    v.sort_unstable();
    for i in 1..4 { assert!(v[i - 1] <= v[i]); }
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let mut v = any_bytes::<3>();
    v.sort_unstable();
    assert!(v[0] < v[1]); //~ panic REFUTED
}
