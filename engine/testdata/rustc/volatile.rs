// A register that is read twice need not be the same, were it one; memory of ours is.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut r = any32();
    unsafe { core::ptr::write_volatile(&mut r, 5) };
    assert!(unsafe { core::ptr::read_volatile(&r) } == 5);
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let r = any32();
    assert!(unsafe { core::ptr::read_volatile(&r) } != 5); //~ panic REFUTED
}
