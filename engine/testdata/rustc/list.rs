// A list on the stack, linked by references, and one linked by pointers. The address
// of a field of null is poison.
#![no_std]
include!("../prelude.rs");

struct Node<'a> { value: u8, next: Option<&'a Node<'a>> }

fn sum(mut n: Option<&Node>) -> u16 {
    let mut s = 0;
    while let Some(node) = n {
        s += node.value as u16;
        n = node.next;
    }
    s
}

struct Raw { value: u8, next: *const Raw }

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let a = Node { value: any8(), next: None };
    let b = Node { value: any8(), next: if any_bool() { Some(&a) } else { None } };
    let c = Node { value: any8(), next: Some(&b) };
    assert!(sum(Some(&c)) >= b.value as u16 && sum(Some(&c)) <= 765);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let a = Raw { value: any8(), next: core::ptr::null() };
    let b = Raw { value: any8(), next: if any_bool() { &a } else { core::ptr::null() } };
    unsafe { (*b.next).value } //~ poison_use REFUTED
}
