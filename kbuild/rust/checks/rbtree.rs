// SPDX-License-Identifier: GPL-2.0

//! `rust/kernel/rbtree.rs`: a map, against a list of what it should hold.

mod kvfarm;

use kernel::{alloc::flags::GFP_KERNEL, rbtree::RBTree};
use kvfarm::{any, any_in, check, check_eq};

/// The kernel's search trees: lib/rbtree.c. These do not turn: that a tree is balanced is a promise about time,
/// and what Rust relies on is the order of its nodes and how they hang together.
mod tree {
    use core::ptr::null_mut;
    use kernel::bindings::{rb_node, rb_root};

    /// Nodes have no colour here: beside the address of the parent there is nothing.
    unsafe fn parent(n: *const rb_node) -> *mut rb_node {
        // SAFETY: The caller owns the node.
        unsafe { (*n).__rb_parent_color as *mut rb_node }
    }

    /// Puts `new` in the place of `old` below `up`.
    unsafe fn hang(root: *mut rb_root, up: *mut rb_node, old: *mut rb_node, new: *mut rb_node) {
        // SAFETY: The caller owns the tree.
        unsafe {
            if up.is_null() {
                (*root).rb_node = new;
            } else if (*up).rb_left == old {
                (*up).rb_left = new;
            } else {
                (*up).rb_right = new;
            }
            if !new.is_null() {
                (*new).__rb_parent_color = up as _;
            }
        }
    }

    unsafe fn leftmost(mut n: *mut rb_node) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        while !n.is_null() && unsafe { !(*n).rb_left.is_null() } {
            n = unsafe { (*n).rb_left };
        }
        n
    }

    unsafe fn rightmost(mut n: *mut rb_node) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        while !n.is_null() && unsafe { !(*n).rb_right.is_null() } {
            n = unsafe { (*n).rb_right };
        }
        n
    }

    #[no_mangle]
    unsafe extern "C" fn rust_helper_rb_link_node(n: *mut rb_node, up: *mut rb_node, link: *mut *mut rb_node) {
        // SAFETY: The caller owns the node and the tree.
        unsafe {
            (*n).__rb_parent_color = up as _;
            (*n).rb_left = null_mut();
            (*n).rb_right = null_mut();
            *link = n;
        }
    }

    #[no_mangle]
    extern "C" fn rb_insert_color(_n: *mut rb_node, _root: *mut rb_root) {}

    #[no_mangle]
    unsafe extern "C" fn rb_erase(n: *mut rb_node, root: *mut rb_root) {
        // SAFETY: The caller owns the tree.
        unsafe {
            let (left, right) = ((*n).rb_left, (*n).rb_right);
            if left.is_null() || right.is_null() {
                hang(root, parent(n), n, if left.is_null() { right } else { left });
                return;
            }
            let next = leftmost(right);
            if next != right {
                hang(root, parent(next), next, (*next).rb_right);
                (*next).rb_right = right;
                (*right).__rb_parent_color = next as _;
            }
            hang(root, parent(n), n, next);
            (*next).rb_left = left;
            (*left).__rb_parent_color = next as _;
        }
    }

    #[no_mangle]
    unsafe extern "C" fn rb_replace_node(old: *mut rb_node, new: *mut rb_node, root: *mut rb_root) {
        // SAFETY: The caller owns the tree and the new node.
        unsafe {
            (*new).rb_left = (*old).rb_left;
            (*new).rb_right = (*old).rb_right;
            for child in [(*old).rb_left, (*old).rb_right] {
                if !child.is_null() {
                    (*child).__rb_parent_color = new as _;
                }
            }
            hang(root, parent(old), old, new);
        }
    }

    #[no_mangle]
    unsafe extern "C" fn rust_helper_rb_first(root: *const rb_root) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        unsafe { leftmost((*root).rb_node) }
    }

    /// As older kernels call it.
    #[no_mangle]
    unsafe extern "C" fn rb_first(root: *const rb_root) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        unsafe { leftmost((*root).rb_node) }
    }

    #[no_mangle]
    unsafe extern "C" fn rust_helper_rb_last(root: *const rb_root) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        unsafe { rightmost((*root).rb_node) }
    }

    /// As older kernels call it.
    #[no_mangle]
    unsafe extern "C" fn rb_last(root: *const rb_root) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        unsafe { rightmost((*root).rb_node) }
    }

    #[no_mangle]
    unsafe extern "C" fn rb_next(n: *const rb_node) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        unsafe {
            if !(*n).rb_right.is_null() {
                return leftmost((*n).rb_right);
            }
            let mut n = n.cast_mut();
            let mut up = parent(n);
            while !up.is_null() && (*up).rb_right == n {
                n = up;
                up = parent(n);
            }
            up
        }
    }

    #[no_mangle]
    unsafe extern "C" fn rb_prev(n: *const rb_node) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        unsafe {
            if !(*n).rb_left.is_null() {
                return rightmost((*n).rb_left);
            }
            let mut n = n.cast_mut();
            let mut up = parent(n);
            while !up.is_null() && (*up).rb_left == n {
                n = up;
                up = parent(n);
            }
            up
        }
    }

    /// The first node of a tree whose children both come before it.
    unsafe fn deepest(mut n: *mut rb_node) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        unsafe {
            while !n.is_null() && !((*n).rb_left.is_null() && (*n).rb_right.is_null()) {
                n = if (*n).rb_left.is_null() { (*n).rb_right } else { (*n).rb_left };
            }
        }
        n
    }

    #[no_mangle]
    unsafe extern "C" fn rb_first_postorder(root: *const rb_root) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        unsafe { deepest((*root).rb_node) }
    }

    #[no_mangle]
    unsafe extern "C" fn rb_next_postorder(n: *const rb_node) -> *mut rb_node {
        // SAFETY: The caller owns the tree.
        unsafe {
            let up = parent(n);
            if up.is_null() || (*up).rb_left != n.cast_mut() || (*up).rb_right.is_null() {
                return up;
            }
            deepest((*up).rb_right)
        }
    }
}

/// What the map should hold: `value[i]` under the key `i`.
type Held = [Option<u8>; 4];

/// The map holds what it should, at any key, and goes through it in order.
fn agree(map: &RBTree<usize, u8>, held: &Held) {
    let key: usize = any_in(0, 3);
    check_eq!(map.get(&key).copied(), held[key]);
    let count = held.iter().filter(|v| v.is_some()).count();
    let (mut seen, mut least) = (0, 0);
    for (k, v) in map.iter() {
        check!(least <= *k && *k < 4);
        check_eq!(held[*k], Some(*v));
        least = *k + 1;
        seen += 1;
    }
    check_eq!(seen, count);
}

/// Whatever is inserted and removed in whatever order, and whatever allocation fails, the map is a map.
#[no_mangle]
pub extern "C" fn check_rbtree_sequence() {
    let mut map = RBTree::new();
    let mut held: Held = [None; 4];
    for _ in 0..3 {
        let key: usize = any_in(0, 3);
        if any() {
            let value: u8 = any();
            if let Ok(old) = map.try_create_and_insert(key, value, GFP_KERNEL) {
                check_eq!(old.map(|n| n.to_key_value()), held[key].map(|v| (key, v)));
                held[key] = Some(value);
            }
        } else {
            check_eq!(map.remove(&key), held[key]);
            held[key] = None;
        }
        agree(&map, &held);
    }
}

/// A cursor at the least key that is not below another stands where the order says, and its neighbours too.
#[no_mangle]
pub extern "C" fn check_rbtree_cursor() {
    let mut map = RBTree::new();
    let mut held: Held = [None; 4];
    for key in [2, 1, 3] {
        if any() && map.try_create_and_insert(key, key as u8, GFP_KERNEL).is_ok() {
            held[key] = Some(key as u8);
        }
    }
    let from: usize = any_in(0, 3);
    let at = (from..4).find(|k| held[*k].is_some());
    match map.cursor_lower_bound(&from) {
        Some(c) => {
            check_eq!(Some(*c.current().0), at);
            let next = (*c.current().0 + 1..4).find(|k| held[*k].is_some());
            check_eq!(c.peek_next().map(|n| *n.0), next);
        }
        None => check_eq!(at, None),
    }
}

/// A value that is there can be changed in its place, and one that is not can be put there.
#[no_mangle]
pub extern "C" fn check_rbtree_get_mut() {
    let mut map = RBTree::new();
    let (value, new): (u8, u8) = any();
    if map.try_create_and_insert(1usize, value, GFP_KERNEL).is_err() {
        return;
    }
    let key: usize = any_in(0, 3);
    match map.get_mut(&key) {
        Some(v) => {
            check!(key == 1 && *v == value);
            *v = new;
            check_eq!(map.get(&1).copied(), Some(new));
        }
        None => check!(key != 1),
    }
    check_eq!(map.remove_node(&1).map(|n| n.to_key_value().0), Some(1));
    check!(map.iter().next().is_none());
}

/// A map is empty until something is inserted, and after the last is gone.
#[no_mangle]
pub extern "C" fn check_rbtree_is_empty() {
    let mut map = RBTree::new();
    check!(map.is_empty());
    let key: u8 = any();
    let there = map.try_create_and_insert(key, (), GFP_KERNEL).is_ok();
    check_eq!(map.is_empty(), !there);
    let gone: u8 = any();
    map.remove(&gone);
    check_eq!(map.is_empty(), !there || key == gone);
}
