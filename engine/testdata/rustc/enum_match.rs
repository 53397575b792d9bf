// A state machine: all transitions, and the one that is missing.
#![no_std]
include!("../prelude.rs");

#[derive(Clone, Copy, PartialEq)]
enum State { Idle, Running(u8), Stopped { code: u16 } }

fn step(s: State, input: u8) -> State {
    match (s, input) {
        (State::Idle, n) => State::Running(n),
        (State::Running(n), 0) => State::Stopped { code: n as u16 + 1 },
        (State::Running(n), k) => State::Running(n.saturating_sub(k)),
        (State::Stopped { .. }, _) => s,
    }
}

#[no_mangle]
pub extern "C" fn check_good() { //~ PROVED
    let mut s = State::Idle;
    for b in any_bytes::<4>() { s = step(s, b); }
    if let State::Stopped { code } = s { assert!(code >= 1 && code <= 256); }
    assert!(!matches!(s, State::Idle));
}

#[no_mangle]
pub extern "C" fn check_bad() { //~ REFUTED
    let mut s = State::Idle;
    for b in any_bytes::<3>() { s = step(s, b); }
    match s {
        State::Running(_) => (),
        State::Idle => unreachable!(), //~ panic PROVED
        State::Stopped { code } => assert!(code < 256), //~ panic REFUTED
    }
}
