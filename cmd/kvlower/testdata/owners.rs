#![no_std]
use core::cell::Cell;
use core::panic::Location;
// Holds its own location.
#[inline(never)]
fn half(xs: &[u8], i: usize) -> u8 {
    xs[i / 2]
}
// Its location is its caller's.
#[inline(never)]
#[track_caller]
fn nth(xs: &[u8], i: usize) -> u8 {
    xs[i]
}
// Hands a location on.
#[inline(never)]
fn third(xs: &[u8]) -> u8 {
    nth(xs, 3)
}
// Callers may pass one cell twice: what it holds is nobody's.
#[inline(never)]
fn cells(a: &Cell<u8>, b: &Cell<u8>) -> u8 {
    a.set(1);
    b.get() + 255
}
struct Late {
    xs: [u8; 4],
    from: &'static Location<'static>,
}
// Stores a location that another function may panic with.
#[inline(never)]
fn later(late: &mut Late, i: u8) -> u8 {
    late.from = here();
    late.xs[0] * i
}
#[inline(always)]
#[track_caller]
fn here() -> &'static Location<'static> {
    Location::caller()
}
#[no_mangle]
pub extern "C" fn outer(xs: &[u8; 8], i: usize, n: u8) -> u8 {
    let c = Cell::new(n);
    let mut late = Late { xs: [n; 4], from: here() };
    let sum = half(xs, i) - third(xs);
    sum ^ cells(&c, &Cell::new(i as u8)) ^ later(&mut late, n) ^ late.from.line() as u8
}
