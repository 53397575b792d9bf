// Reversing in place, with a helper that indexes from both ends.
#![no_std]
include!("../prelude.rs");

fn reverse(v: &mut [u8]) {
    let n = v.len();
    let mut i = 0;
    while i < n / 2 {
        v.swap(i, n - 1 - i);
        i += 1;
    }
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut v = any_bytes::<5>();
    let old = v;
    let n = below(6);
    reverse(&mut v[..n]);
    let i = below(5);
    assert!(v[i] == if i < n { old[n - 1 - i] } else { old[i] });
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let mut v = any_bytes::<5>();
    let old = v;
    reverse(&mut v);
    assert!(v[0] == old[4]);
    assert!(v[0] == old[0]); //~ panic REFUTED
}
