// A matrix: both indices count.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() -> u8 { //~ PROVED
    let mut m = [[0u8; 4]; 3];
    let (r, c) = (below(3), below(4));
    m[r][c] = 7;
    let mut sum = 0;
    for row in m { for v in row { sum += v; } }
    assert!(sum == 7);
    m[r][3 - c]
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let m = [[0u8; 4]; 3];
    let (r, c) = (below(3), below(4));
    m[c][r] //~ bounds REFUTED
}
