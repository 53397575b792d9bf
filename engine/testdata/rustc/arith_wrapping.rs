// Wrapping and saturating operations never panic; what they give is another matter.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let (a, b) = (any8(), any8());
    assert!(a.wrapping_add(b).wrapping_sub(b) == a);
    assert!(a.saturating_sub(b) <= a);
    assert!(a.rotate_left(3).rotate_right(3) == a);
    assert!((a as i8).wrapping_neg().wrapping_neg() == a as i8);
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let (a, b) = (any8(), any8());
    assert!(a.saturating_add(b) - b == a); //~ panic REFUTED
    assert!((a as i8).wrapping_abs() >= 0); //~ panic REFUTED
}
