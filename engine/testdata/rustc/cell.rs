// RefCell at run time: two borrows in turn, and two at once.
#![no_std]
include!("../prelude.rs");

use core::cell::{Cell, RefCell};

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let c = RefCell::new(any8());
    let old = *c.borrow();
    *c.borrow_mut() = old ^ 1;
    assert!(*c.borrow() != old);
    let n = Cell::new(old);
    n.set(n.get() & 15);
    assert!(n.get() < 16);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let c = RefCell::new(any8());
    let first = c.borrow();
    if *first > 100 { *c.borrow_mut() = 0; } //~ borrow REFUTED
    *first
}
