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
fn muldiv(a: u64, b: u64, c: u64) -> u64 { let q = a / c; let r = a % c; q * b + r * b / c }
#[no_mangle] pub extern "C" fn check_c03_div() -> u64 {
    let a = any64(); let b = any64(); let c = any64();
    assume(c != 0 && c < 1<<16 && a < 1<<24 && b < 1<<16);
    let v = muldiv(a,b,c);
    assert!(v <= a * b);         // safe
    v
}
