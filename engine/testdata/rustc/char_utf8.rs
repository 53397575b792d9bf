// A char to bytes and back.
#![no_std]
include!("../prelude.rs");

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    if let Some(c) = char::from_u32(any32()) {
        let mut b = [0u8; 4];
        let n = c.encode_utf8(&mut b).len();
        assert!(n >= 1 && n <= 4);
        assert!((n == 1) == (c as u32 <= 127));
        assert!(b[0] & 0xc0 != 0x80);
    }
}

#[no_mangle]
pub extern "C" fn check_bad() -> char { //~ REFUTED
    let n = any32();
    assume(n <= 0xffff);
    char::from_u32(n).unwrap() //~ unwrap_none REFUTED
}
