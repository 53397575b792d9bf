#![no_std]
#[inline(never)]
#[track_caller]
fn at(xs: &[u32], i: usize) -> u32 {
    xs[i]
}
#[inline(never)]
#[track_caller]
fn twice(xs: &[u32], i: usize) -> u32 {
    at(xs, i) + at(xs, i)
}
#[inline(never)]
#[track_caller]
fn must(x: Option<u32>) -> u32 {
    x.unwrap()
}
#[no_mangle]
pub extern "C" fn arithmetic(a: i32, b: i32, s: u32) -> i32 {
    (a + b - a) * b / a % b + -a + (a << s) + (b >> s)
}
#[no_mangle]
pub extern "C" fn forwarded(p: &[u32; 4], i: usize) -> u32 {
    at(p, i) + twice(p, i) + must(p.get(i).copied()) + must(p.first().copied())
}
#[no_mangle]
pub extern "C" fn library(p: &mut [u8; 8], i: usize, r: Result<u8, u8>, s: &&str) -> usize {
    let (a, b) = p.split_at_mut(i);
    a.copy_from_slice(&b[i..]);
    let c = core::cell::RefCell::new(i);
    let d = c.borrow_mut();
    assert_eq!(*d, i);
    assert!(i > 2, "too small: {i}");
    let t = &s[i..];
    if i == 3 {
        unreachable!();
    }
    r.expect("value") as usize + b[..i].len() + t.len()
}
