// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/list.rs`: a list of shared values, against what was put in.

mod kvfarm;
mod refcount;

use kernel::{
    alloc::flags::GFP_KERNEL,
    list::{impl_list_arc_safe, impl_list_item, List, ListArc, ListLinks},
    prelude::*,
};
use kvfarm::{any, check, check_eq};

#[pin_data]
struct Item {
    value: u8,
    #[pin]
    links: ListLinks,
}

impl_list_arc_safe! {
    impl ListArcSafe<0> for Item { untracked; }
}
impl_list_item! {
    impl ListItem<0> for Item { using ListLinks { self.links }; }
}

fn item(value: u8) -> Option<ListArc<Item>> {
    ListArc::pin_init(try_pin_init!(Item { value, links <- ListLinks::new() }), GFP_KERNEL).ok()
}

/// What the list should hold, in order.
struct Held {
    values: [u8; 8],
    first: usize,
    end: usize,
}

impl Held {
    fn agrees(&self, list: &List<Item>) {
        check_eq!(list.is_empty(), self.first == self.end);
        let mut at = self.first;
        for i in list.iter() {
            check!(at < self.end);
            check_eq!(i.value, self.values[at]);
            at += 1;
        }
        check_eq!(at, self.end);
    }
}

/// Whatever is pushed and popped at both ends in whatever order, the list holds just what it should, in order.
#[no_mangle]
pub extern "C" fn check_list_sequence() {
    let mut list = List::<Item>::new();
    let mut held = Held { values: [0; 8], first: 4, end: 4 };
    for _ in 0..3 {
        let front: bool = any();
        if any() {
            let value: u8 = any();
            let Some(new) = item(value) else { return };
            if front {
                list.push_front(new);
                held.first -= 1;
                held.values[held.first] = value;
            } else {
                list.push_back(new);
                held.values[held.end] = value;
                held.end += 1;
            }
        } else {
            let old = if front { list.pop_front() } else { list.pop_back() };
            check_eq!(old.is_none(), held.first == held.end);
            if let Some(old) = old {
                let at = if front { held.first } else { held.end - 1 };
                check_eq!(old.value, held.values[at]);
                if front {
                    held.first += 1;
                } else {
                    held.end -= 1;
                }
            }
        }
        held.agrees(&list);
    }
}

/// To move all of one list behind another leaves the one empty and the other in order.
#[no_mangle]
pub extern "C" fn check_list_push_all() {
    let (mut a, mut b) = (List::<Item>::new(), List::<Item>::new());
    let mut held = Held { values: [0; 8], first: 0, end: 0 };
    for i in 0..4 {
        if any() {
            let Some(new) = item(i) else { return };
            held.values[held.end] = i;
            held.end += 1;
            if i < 2 {
                a.push_back(new);
            } else {
                b.push_back(new);
            }
        }
    }
    a.push_all_back(&mut b);
    check!(b.is_empty());
    held.agrees(&a);
}

/// A cursor removes what it stands before, and nothing else.
#[no_mangle]
pub extern "C" fn check_list_cursor() {
    let mut list = List::<Item>::new();
    for i in 0..3 {
        let Some(new) = item(i) else { return };
        list.push_back(new);
    }
    let mut cursor = list.cursor_front();
    let steps: u8 = kvfarm::any_in(0, 3);
    for _ in 0..steps {
        check!(cursor.move_next());
    }
    let removed = cursor.peek_next().map(|i| i.remove().value);
    check_eq!(removed, if steps < 3 { Some(steps) } else { None });
    let mut held = Held { values: [0; 8], first: 0, end: 0 };
    for i in 0..3 {
        if i != steps {
            held.values[held.end] = i;
            held.end += 1;
        }
    }
    held.agrees(&list);
}
