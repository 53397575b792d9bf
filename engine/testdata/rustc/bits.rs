// Bit tricks against what they stand for.
#![no_std]
include!("../prelude.rs");

fn next_power(n: u32) -> u32 {
    let mut v = n.wrapping_sub(1);
    v |= v >> 1;
    v |= v >> 2;
    v |= v >> 4;
    v |= v >> 8;
    v |= v >> 16;
    v.wrapping_add(1)
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let n = any32();
    assume(n > 0 && n <= 1 << 31);
    let p = next_power(n);
    assert!(p.is_power_of_two() && p >= n && p / 2 < n);
    assert!(n & n.wrapping_neg() == 1 << n.trailing_zeros());
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let n = any32();
    let p = next_power(n);
    assert!(p >= n); //~ panic REFUTED
}
