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
trait Op { fn run(&self, x: u32) -> Result<u32, i32>; }
struct Add(u32); struct Mul(u32); struct Neg;
impl Op for Add { fn run(&self, x: u32) -> Result<u32,i32> { x.checked_add(self.0).ok_or(-34) } }
impl Op for Mul { fn run(&self, x: u32) -> Result<u32,i32> { x.checked_mul(self.0).ok_or(-34) } }
impl Op for Neg { fn run(&self, x: u32) -> Result<u32,i32> { if x > 0x7fff_ffff { Err(-22) } else { Ok(x ^ 1) } } }
#[no_mangle] pub extern "C" fn check_c05_dyn() {
    let a=Add(any32()); let m=Mul(any32()); let n=Neg;
    let ops: [&dyn Op;3] = [&a,&m,&n];
    let mut x = any32();
    for _ in 0..3 {
        let k = any32() as usize; assume(k < 3);
        match ops[k].run(x) { Ok(v) => x = v, Err(e) => { assert!(e == -34 || e == -22); return } }
    }
}
