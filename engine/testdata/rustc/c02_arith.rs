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
#[no_mangle] pub extern "C" fn check_c02_arith() -> u64 {
    let a = any64(); let b = any64(); let c = any32();
    assume(a < 1<<31 && b < 1<<32);
    let m = a * b;                // safe
    let s = m + c as u64;         // safe? m<2^63, c<2^32 ok
    match s.checked_shl(c % 64) { Some(v) => v.wrapping_add(1), None => 0 }
}
