// Trait objects: a call to one of three, and a default method.
#![no_std]
include!("../prelude.rs");

trait Shape {
    fn area(&self) -> u32;
    fn twice(&self) -> u32 { self.area() * 2 } //~ mul_overflow REFUTED
}
struct Square(u16);
struct Rect(u16, u32);
struct Dot;
impl Shape for Square { fn area(&self) -> u32 { self.0 as u32 * self.0 as u32 } }
impl Shape for Rect { fn area(&self) -> u32 { (self.0 & 255) as u32 * (self.1 & 255) } }
impl Shape for Dot { fn area(&self) -> u32 { 0 } }

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let (s, r, d) = (Square(any16() & 255), Rect(any16(), any32()), Dot);
    let list: [&dyn Shape; 3] = [&s, &r, &d];
    let i = below(3);
    assert!(list[i].twice() <= 2 * 255 * 255);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u32 { //~ REFUTED
    let (s, d) = (Square(any16()), Dot);
    let x: &dyn Shape = if any_bool() { &s } else { &d };
    x.twice()
}
