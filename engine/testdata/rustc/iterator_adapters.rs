// map, filter, zip, enumerate, rev, take, skip.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<4>();
    let even = v.iter().filter(|b| *b % 2 == 0).count();
    let odd = v.iter().map(|b| (b % 2) as usize).sum::<usize>();
    assert!(even + odd == 4);
    for (i, (a, b)) in v.iter().zip(v.iter().rev()).enumerate() { assert!(*a == v[i] && *b == v[3 - i]); }
    assert!(v.iter().skip(1).take(2).count() == 2);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let v = any_bytes::<4>();
    let n = below(5);
    *v.iter().skip(n).next().unwrap() //~ unwrap_none REFUTED
}
