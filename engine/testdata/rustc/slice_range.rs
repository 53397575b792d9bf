// Parts of a slice by ranges of inputs.
#![no_std]
include!("../prelude.rs");

fn part(v: &[u8], from: usize, to: usize) -> &[u8] {
    &v[from..to] //~ slice_index REFUTED
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let v = any_bytes::<6>();
    let to = below(7);
    let from = below(to + 1);
    assert!(part(&v, from, to).len() == to - from);
}

#[no_mangle]
pub extern "C" fn check_bad() -> usize { //~ REFUTED
    let v = any_bytes::<6>();
    part(&v, below(7), below(7)).len()
}
