// Memory of an allocator that may fail, behind a Box of our own.
#![no_std]
include!("../prelude.rs");

extern "C" {
    fn kmalloc(n: usize, flags: u32) -> *mut u8;
    fn kfree(p: *mut u8);
}

struct Own(*mut u32);

impl Own {
    fn new(x: u32) -> Option<Own> {
        let p = unsafe { kmalloc(4, 0xcc0) }.cast::<u32>();
        if p.is_null() { return None; }
        unsafe { p.write(x) };
        Some(Own(p))
    }
    fn get(&self) -> u32 { unsafe { *self.0 } } //~ use_after_free REFUTED
}

impl Drop for Own {
    fn drop(&mut self) { unsafe { kfree(self.0.cast()) } }
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let x = any32();
    if let Some(o) = Own::new(x) { assert!(o.get() == x); }
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    if let Some(o) = Own::new(any32()) {
        let again = Own(o.0);
        drop(again);
        core::mem::forget(Own(o.0));
        assert!(o.get() != 5); //~ panic PROVED
    }
}
