// What every source in rustc/ begins with: the functions that a check calls,
// and the panic handler that no_std asks for.
#[allow(dead_code)]
mod kvfarm {
    extern "C" {
        fn kvfarm_any_u8() -> u8;
        fn kvfarm_any_u16() -> u16;
        fn kvfarm_any_u32() -> u32;
        fn kvfarm_any_u64() -> u64;
        fn kvfarm_any_u128() -> u128;
        fn kvfarm_any_usize() -> usize;
        fn kvfarm_any_bool() -> bool;
        fn kvfarm_any_bytes(p: *mut u8, n: usize);
        fn kvfarm_assume(c: bool);
        fn kvfarm_panicked(line: u32) -> !;
    }
    /// Where a check runs as a program of the machine, this says how it ended.
    pub fn panicked(line: u32) -> ! { unsafe { kvfarm_panicked(line) } }
    pub fn any8() -> u8 { unsafe { kvfarm_any_u8() } }
    pub fn any16() -> u16 { unsafe { kvfarm_any_u16() } }
    pub fn any32() -> u32 { unsafe { kvfarm_any_u32() } }
    pub fn any64() -> u64 { unsafe { kvfarm_any_u64() } }
    pub fn any128() -> u128 { unsafe { kvfarm_any_u128() } }
    pub fn any_usize() -> usize { unsafe { kvfarm_any_usize() } }
    pub fn any_bool() -> bool { unsafe { kvfarm_any_bool() } }
    pub fn any_bytes<const N: usize>() -> [u8; N] {
        let mut b = [0; N];
        unsafe { kvfarm_any_bytes(b.as_mut_ptr(), N) };
        b
    }
    pub fn assume(c: bool) { unsafe { kvfarm_assume(c) } }
    /// Any number below n.
    pub fn below(n: usize) -> usize {
        let i = any_usize();
        assume(i < n);
        i
    }
}
#[allow(unused_imports)]
use kvfarm::*;

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! { panicked(info.location().map_or(0, |l| l.line())) }
