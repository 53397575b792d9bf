// One function for several types, a constant of a type among its parameters.
#![no_std]
include!("../prelude.rs");

trait Limit { const MAX: usize; fn get(&self) -> usize; }
impl Limit for u8 { const MAX: usize = 255; fn get(&self) -> usize { *self as usize } }
impl Limit for bool { const MAX: usize = 1; fn get(&self) -> usize { *self as usize } }

fn slot<T: Limit, const N: usize>(t: T, v: &[u8; N]) -> u8 {
    const { assert!(T::MAX < N) };
    v[t.get()]
}

fn clamp<T: Limit, const N: usize>(t: T, v: &[u8; N]) -> u8 { v[t.get()] } //~ bounds REFUTED

#[no_mangle]
pub extern "C" fn check_good() -> u8 { //~ PROVED
    let v = [3u8; 256];
    slot(any8(), &v) + slot(any_bool(), &[1, 2])
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    clamp(any8(), &[3u8; 200]) ^ clamp(any_bool(), &[1, 2])
}
