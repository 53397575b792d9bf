#![no_std]
extern "C" {
    fn kvfarm_any_u32() -> u32;
    fn kvfarm_assume(c: bool);
}
trait Weight {
    fn weight(&self) -> u32;
}
struct One;
struct Many {
    n: u32,
}
impl Weight for One {
    fn weight(&self) -> u32 {
        1
    }
}
impl Weight for Many {
    fn weight(&self) -> u32 {
        self.n * 2
    }
}
static TABLE: [u32; 4] = [10, 20, 30, 40];
fn total(ws: &[&dyn Weight]) -> u32 {
    let mut sum = 0;
    for w in ws {
        sum += w.weight();
    }
    sum
}
#[no_mangle]
pub extern "C" fn check_total() -> u32 {
    let n = unsafe { kvfarm_any_u32() };
    unsafe { kvfarm_assume(n < 6) };
    let many = Many { n };
    let ws: [&dyn Weight; 2] = [&One, &many];
    let all = total(&ws);
    TABLE[n as usize] + all
}
