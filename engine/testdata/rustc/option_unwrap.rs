// unwrap, expect, and their kin that do not panic.
#![no_std]
include!("../prelude.rs");

fn find(v: &[u8], x: u8) -> Option<usize> {
    let mut i = 0;
    while i < v.len() {
        if v[i] == x { return Some(i); }
        i += 1;
    }
    None
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<4>();
    let x = v[below(4)];
    let i = find(&v, x).unwrap();
    assert!(v[i] == x);
    assert!(find(&v, any8()).map_or(0, |i| i) < 4);
}

#[no_mangle]
pub extern "C" fn check_bad() -> usize { //~ REFUTED
    let v = any_bytes::<4>();
    let i = find(&v, any8()).unwrap(); //~ unwrap_none REFUTED
    let j = find(&v, any8()).expect("there"); //~ expect REFUTED
    i + j
}
