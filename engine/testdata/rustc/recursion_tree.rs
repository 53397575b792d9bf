// A tree in an array, walked by recursion: its depth is bounded.
#![no_std]
include!("../prelude.rs");

fn depth(tree: &[(u8, u8); 5], at: u8) -> u8 {
    if at == 0 { return 0; }
    let (l, r) = tree[at as usize]; //~ bounds REFUTED
    1 + depth(tree, l).max(depth(tree, r))
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut tree = [(0u8, 0u8); 5];
    for i in 1..5 {
        let (l, r) = (any8(), any8());
        assume(l < i && r < i);
        tree[i as usize] = (l, r);
    }
    assert!(depth(&tree, 4) <= 4);
}

#[no_mangle]
pub extern "C" fn check_bad() -> u8 { //~ REFUTED
    let mut tree = [(0u8, 0u8); 5];
    tree[1] = (any8(), 0);
    assume(tree[1].0 != 1);
    depth(&tree, 1)
}
