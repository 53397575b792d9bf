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
fn sum_max(s: &[u8]) -> (u32, u8) { let mut t=0u32; let mut m=0u8; for &x in s { t += x as u32; if x > m { m = x; } } (t,m) }
#[no_mangle] pub extern "C" fn check_c04_loop() {
    let mut buf=[0u8;16];
    for b in buf.iter_mut() { *b = any8(); }
    let n = any32() as usize; assume(n <= 16);
    let (t,m) = sum_max(&buf[..n]);
    assert!(t <= 255 * n as u32);
    assert!(n == 0 || t >= m as u32);
}
