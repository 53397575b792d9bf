#![no_std]
#![allow(dead_code)]
extern "C" {
    fn kvfarm_any_u8() -> u8;
    fn kvfarm_any_u32() -> u32;
    fn kvfarm_any_u64() -> u64;
    fn kvfarm_assume(c: bool);
    fn kvfarm_panic() -> !;
    fn kmalloc(n: usize, flags: u32) -> *mut u8;
    fn kfree(p: *mut u8);
}
#[panic_handler]
fn panic(_i: &core::panic::PanicInfo<'_>) -> ! { unsafe { kvfarm_panic() } }
fn any8() -> u8 { unsafe { kvfarm_any_u8() } }
fn any32() -> u32 { unsafe { kvfarm_any_u32() } }
fn any64() -> u64 { unsafe { kvfarm_any_u64() } }
fn assume(c: bool) { unsafe { kvfarm_assume(c) } }
use core::ptr;
struct KVec { p: *mut u32, cap: usize, len: usize }
impl KVec {
    const fn new() -> Self { KVec { p: ptr::null_mut(), cap: 0, len: 0 } }
    fn grow(&mut self) -> Result<(), i32> {
        let nc = if self.cap == 0 { 4 } else { self.cap * 2 };
        let np = unsafe { kmalloc(nc * 4, 0xcc0) } as *mut u32;
        if np.is_null() { return Err(-12); }
        if self.len > 0 { unsafe { ptr::copy_nonoverlapping(self.p, np, self.len); kfree(self.p as *mut u8); } }
        self.p = np; self.cap = nc; Ok(())
    }
    fn push(&mut self, v: u32) -> Result<(), i32> { if self.len == self.cap { self.grow()?; } unsafe { self.p.add(self.len).write(v); } self.len += 1; Ok(()) }
    fn pop(&mut self) -> Option<u32> { if self.len == 0 { None } else { self.len -= 1; Some(unsafe { self.p.add(self.len).read() }) } }
    fn as_slice(&self) -> &[u32] { if self.p.is_null() { &[] } else { unsafe { core::slice::from_raw_parts(self.p, self.len) } } }
}
impl Drop for KVec { fn drop(&mut self) { if !self.p.is_null() { unsafe { kfree(self.p as *mut u8) } } } }
#[no_mangle] pub extern "C" fn check_c07_kvec() {
    let mut v = KVec::new();
    let mut n = 0usize;
    for _ in 0..6 { let op = any8(); if op & 1 == 0 { if v.push(any32()).is_ok() { n += 1; } else { return } } else { if v.pop().is_some() { n -= 1; } } assert!(v.as_slice().len() == n); }
    let i = any32() as usize; if i < n { let _ = v.as_slice()[i]; }
}
