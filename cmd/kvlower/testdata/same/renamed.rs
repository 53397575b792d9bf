#![no_std]
extern "C" {
    fn kvfarm_any_u32() -> u32;
    fn kvfarm_assume(c: bool);
}
trait Heavy {
    fn weight(&self) -> u32;
}
struct One;
struct Several {
    n: u32,
}
impl Heavy for One {
    fn weight(&self) -> u32 {
        1
    }
}
impl Heavy for Several {
    fn weight(&self) -> u32 {
        self.n * 2
    }
}
static PRICES: [u32; 4] = [10, 20, 30, 40];
fn whole(weights: &[&dyn Heavy]) -> u32 {
    let mut acc = 0;
    for w in weights {
        acc += w.weight();
    }
    acc
}
#[no_mangle]
pub extern "C" fn check_total() -> u32 {
    let n = unsafe { kvfarm_any_u32() };
    unsafe { kvfarm_assume(n < 6) };
    let lots = Several { n };
    let weights: [&dyn Heavy; 2] = [&One, &lots];
    let everything = whole(&weights);
    PRICES[n as usize] + everything
}
