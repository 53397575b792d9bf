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
#[derive(Clone, Copy, PartialEq)] enum St { Idle, Run(u32), Done { code: i32 }, }
fn step(s: St, e: u32) -> Option<St> { match (s, e & 3) { (St::Idle,0)=>Some(St::Run(e>>2)), (St::Run(n),1) if n>0 => Some(St::Run(n-1)), (St::Run(0),2)=>Some(St::Done{code:0}), (St::Run(n),3)=>Some(St::Done{code:-(n as i32 & 0xff)}), _=>None } }
#[no_mangle] pub extern "C" fn check_c06_option() {
    let mut s=St::Idle;
    for _ in 0..6 { match step(s, any32()) { Some(n)=> s=n, None=>{} } }
    if let St::Done{code} = s { assert!(code <= 0); let z: Option<u32> = if code==0 {Some(1)} else {Some(2)}; let _=z.unwrap(); }
    if let St::Run(n) = s { let _ = n.checked_sub(0x4000_0000).map(|_| panic!("unreachable")); }
}
