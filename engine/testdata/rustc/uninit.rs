// Memory that is filled before it is read, and some that is not.
#![no_std]
include!("../prelude.rs");

use core::mem::MaybeUninit;

#[no_mangle]
pub extern "C" fn check_good() -> u8 { //~ PROVED
    let mut v: [MaybeUninit<u8>; 4] = [MaybeUninit::uninit(); 4];
    let n = below(4) + 1;
    for i in 0..n { v[i].write(i as u8); }
    unsafe { v[n - 1].assume_init() }
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let mut v: [MaybeUninit<u8>; 4] = [MaybeUninit::uninit(); 4];
    let n = below(4);
    for i in 0..n { v[i].write(i as u8); }
    let x = unsafe { v[n].assume_init() }; //~ uninit_use REFUTED
    x & 1
}
