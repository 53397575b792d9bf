#![no_std]
use core::cmp::Ordering;
use core::num::NonZeroU16;
use core::ptr::NonNull;

pub struct Point {
    pub x: i32,
    pub flag: bool,
    pub tail: [u16; 3],
}
pub enum Shape {
    Empty,
    Circle(u32),
    Rect { w: u16, h: u16 },
}
#[repr(u8)]
#[derive(Clone, Copy)]
pub enum Color {
    Red = 1,
    Green = 2,
    Blue = 7,
}
pub struct Node<'a> {
    pub value: u64,
    pub next: Option<&'a Node<'a>>,
}
#[inline(never)]
pub fn scalars(a: u8, b: bool, c: char, d: i128, e: Color, f: Ordering, g: NonZeroU16) -> u64 {
    a as u64 + b as u64 + c as u64 + d as u64 + e as u64 + f as u64 + g.get() as u64
}
#[inline(never)]
pub fn references(a: &Point, b: &mut Point, _nothing: (), c: *const Point, d: NonNull<u32>) -> usize {
    b.x += a.x;
    c as usize + d.as_ptr() as usize
}
#[inline(never)]
pub fn slices(a: &[u8], b: &mut [Point], c: &str, d: &[&str]) -> usize {
    a.len() + b.len() + c.len() + d.len()
}
#[inline(never)]
pub fn options(a: Option<u32>, b: Option<&Point>, c: Option<&[u8]>, d: &Option<bool>) -> usize {
    a.is_some() as usize + b.is_some() as usize + c.is_some() as usize + d.is_some() as usize
}
#[inline(never)]
pub fn enums(a: &Shape, b: Shape, c: &Result<Point, Color>) -> u32 {
    let n = match a {
        Shape::Empty => 0,
        Shape::Circle(r) => *r,
        Shape::Rect { w, h } => (*w as u32) + (*h as u32),
    };
    n + matches!(b, Shape::Empty) as u32 + c.is_ok() as u32
}
#[inline(never)]
pub fn values(a: Point, b: (u64, u64, u64), c: [u8; 3], n: &Node<'_>) -> u64 {
    a.x as u64 + b.1 + c[1] as u64 + n.value
}
#[inline(never)]
pub fn opaque(a: &dyn Fn(u32) -> u32, b: fn(u32) -> u32, c: f64) -> u32 {
    a(1) + b(2) + (c > 1.0) as u32
}
