// One memory, two types: all bytes, and some that were never written.
#![no_std]
include!("../prelude.rs");

#[repr(C)]
union Word { bytes: [u8; 4], number: u32, short: u16 }

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let n = any32();
    let w = Word { number: n };
    let b = unsafe { w.bytes };
    assert!(u32::from_le_bytes(b) == n);
    assert!(unsafe { w.short } == n as u16);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let w = Word { short: any16() };
    let b = unsafe { w.bytes };
    b[3] //~ uninit_use REFUTED
}
