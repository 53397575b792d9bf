// Cutting a string: an index must lie between characters.
#![no_std]
include!("../prelude.rs");

static TEXT: &str = "aé";

#[no_mangle]
pub extern "C" fn check_good() -> usize { //~ PROVED
    let i = below(5);
    if TEXT.is_char_boundary(i) { TEXT[i..].len() } else { 0 }
}

#[no_mangle]
pub extern "C" fn check_bad() -> usize { //~ REFUTED
    TEXT[..below(4)].len() //~ str_index REFUTED
}
