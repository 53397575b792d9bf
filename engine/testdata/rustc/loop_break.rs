// A loop that is left with a value, and one that is left too late.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<6>();
    let mut i = 0;
    let at = loop {
        if i == v.len() { break None; }
        if v[i] == 0 { break Some(i); }
        i += 1;
    };
    if let Some(k) = at { assert!(v[k] == 0 && k < 6); } else { assert!(v[5] != 0); }
}

#[no_mangle]
pub extern "C" fn check_bad() -> usize { //~ REFUTED
    let v = any_bytes::<6>();
    let mut i = 0;
    loop {
        if v[i] == 0 { break i; } //~ bounds REFUTED
        i += 1;
    }
}
