//! Prints, for every function of diff.rs and every pair of inputs, what it
//! does on this machine: "NAME A B returned N" or "NAME A B panicked LINE:COL".

include!("diff.rs");

use std::panic;

fn inputs() -> Vec<u64> {
    let mut all = vec![0, 1, 2, 7, 8, 9, 63, 64, 127, 128, 255, 256, 0xd800, 0x1f600, i32::MAX as u64, i64::MAX as u64, i64::MIN as u64, u64::MAX];
    let mut n = 1u64;
    for _ in 0..4 {
        n = n.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        all.push(n);
    }
    all
}

fn main() {
    panic::set_hook(Box::new(|info| {
        let l = info.location().unwrap();
        // A panic cannot leave a function of C: the process ends here.
        println!("panicked {}:{}", l.line(), l.column());
        std::process::exit(0);
    }));
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    if let [i, a, b] = args[..] {
        println!("returned {}", ALL[i as usize].1(a, b));
        return;
    }
    let all = inputs();
    for (i, (name, _)) in ALL.iter().enumerate() {
        for k in 0..24 {
            // Pairs that differ from function to function.
            let a = all[(k * 7 + i) % all.len()];
            let b = all[(k * 5 + i * 3 + k / 11) % all.len()];
            println!("{name} {a} {b} {}", alone(i, a, b));
        }
    }
}

/// Runs one function in a process of its own.
fn alone(i: usize, a: u64, b: u64) -> String {
    let me = std::env::current_exe().unwrap();
    let out = std::process::Command::new(me).args([i as u64, a, b].map(|n| n.to_string())).output().unwrap();
    String::from_utf8_lossy(&out.stdout).trim().to_string()
}
