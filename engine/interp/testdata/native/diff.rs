// Functions of two numbers that are compiled twice: to a slice, and for the
// machine. Both must agree, on results and on panics. They need no function of
// core that is not inlined.

macro_rules! differ {
    ($($name:ident($a:ident, $b:ident) $body:block)*) => {
        $(#[no_mangle] pub extern "C" fn $name($a: u64, $b: u64) -> u64 $body)*
        #[allow(dead_code)]
        pub const ALL: &[(&str, extern "C" fn(u64, u64) -> u64)] = &[$((stringify!($name), $name)),*];
    };
}

struct Padded {
    tag: u8,
    wide: u32,
    half: u16,
}

#[inline(never)]
fn make(a: u64) -> Padded {
    Padded { tag: a as u8, wide: (a >> 8) as u32, half: (a >> 40) as u16 }
}

#[inline(never)]
fn small(a: u64) -> Option<u8> {
    if a % 3 == 0 { None } else { Some(a as u8) }
}

#[inline(never)]
fn checked(a: u8, b: u8) -> Result<u8, u16> {
    match a.checked_mul(b) {
        Some(n) => Ok(n),
        None => Err(a as u16 * b as u16),
    }
}

enum Shape {
    Point,
    Line(u32),
    Box { w: u16, h: u16 },
}

#[inline(never)]
fn shape(a: u64) -> Shape {
    match a % 3 {
        0 => Shape::Point,
        1 => Shape::Line(a as u32),
        _ => Shape::Box { w: a as u16, h: (a >> 16) as u16 },
    }
}

trait Step {
    fn step(&self, n: u64) -> u64;
}
struct Add(u64);
struct Twist(u32);
impl Step for Add {
    fn step(&self, n: u64) -> u64 {
        n.wrapping_add(self.0)
    }
}
impl Step for Twist {
    fn step(&self, n: u64) -> u64 {
        n.rotate_left(self.0) ^ 0x9e37
    }
}

#[inline(never)]
fn apply(s: &dyn Step, n: u64) -> u64 {
    s.step(n)
}

#[inline(never)]
fn twice(f: fn(u64) -> u64, n: u64) -> u64 {
    f(f(n))
}

fn triple(n: u64) -> u64 {
    n.wrapping_mul(3)
}

#[inline(never)]
fn ackermann(m: u64, n: u64) -> u64 {
    match (m, n) {
        (0, n) => n + 1,
        (m, 0) => ackermann(m - 1, 1),
        (m, n) => ackermann(m - 1, ackermann(m, n - 1)),
    }
}

static TABLE: [u16; 8] = [3, 1, 4, 1, 5, 9, 2, 6];

differ! {
    add_panics(a, b) { a + b }
    sub_narrow(a, b) { (a as u8 - b as u8) as u64 }
    mul_signed(a, b) { (a as i64 * b as i64) as u64 }
    divide(a, b) { a / b }
    divide_signed(a, b) { (a as i64 / b as i64) as u64 }
    remainder_narrow(a, b) { (a as i8 % b as i8) as u64 }
    shift_left(a, b) { a << b }
    shift_signed(a, b) { ((a as i32) >> b) as u64 }
    negate(a, _b) { (-(a as i16)) as u64 }
    absolute(a, b) { ((a as i32).wrapping_abs() as u64) ^ (b as i8).unsigned_abs() as u64 }
    wide_multiply(a, b) { ((a as u128 * b as u128) >> 64) as u64 }
    wide_add(a, b) {
        let x = (a as u128) << 64 | b as u128;
        let (s, over) = x.overflowing_add(x >> 1);
        (s >> 64) as u64 ^ s as u64 ^ over as u64
    }
    wide_signed(a, b) {
        let x = a as i64 as i128 * b as i64 as i128;
        let y = x >> 7;
        (y as u64) ^ ((y >> 64) as u64) ^ (x < 0) as u64
    }
    wide_compare(a, b) {
        let (x, y) = ((a as i128) << 60, (b as i64 as i128) << 63);
        (x < y) as u64 | ((x as u128) < (y as u128)) as u64 * 2 | (x == y) as u64 * 4
    }
    saturate(a, b) {
        (a as i8).saturating_add(b as i8) as u8 as u64 | ((a as u8).saturating_sub(b as u8) as u64) << 8
            | ((a as i8).saturating_sub(b as i8) as u8 as u64) << 16 | ((a as u16).saturating_mul(b as u16) as u64) << 24
    }
    count_bits(a, b) {
        (a.count_ones() + b.leading_zeros() * 64 + a.trailing_zeros() * 4096) as u64
            + ((b as u16).leading_ones() as u64) * 1_000_000
    }
    swap_bytes(a, b) { a.swap_bytes() ^ (b as u32).reverse_bits() as u64 ^ ((b as u16).swap_bytes() as u64) << 40 }
    rotate(a, b) { a.rotate_left(b as u32 & 63) ^ (a as u8).rotate_right(b as u32) as u64 }
    minmax(a, b) { (a as i32).min(b as i32) as u64 ^ a.max(b).rotate_left(8) ^ ((a as i64).cmp(&(b as i64)) as i8 as u64) }
    power(a, b) { (a % 16).pow((b % 20) as u32) }
    isqrt_loop(a, _b) {
        let mut r = 0u64;
        while (r + 1) * (r + 1) <= a % 100_000 {
            r += 1;
        }
        r
    }
    gcd(a, b) {
        let (mut x, mut y) = (a, b);
        while y != 0 {
            (x, y) = (y, x % y);
        }
        x
    }
    table_index(a, b) { TABLE[a as usize] as u64 + TABLE[(b % 8) as usize] as u64 }
    slice_range(a, b) {
        let bytes = [1u8, 2, 3, 4, 5, 6, 7, 8];
        let part = &bytes[a as usize..b as usize];
        let mut sum = 0;
        for x in part {
            sum += *x as u64;
        }
        sum
    }
    bubble_sort(a, b) {
        let mut v = a.to_le_bytes();
        let n = v.len();
        for i in 0..n {
            for j in 0..n - 1 - i {
                if v[j] > v[j + 1] {
                    v.swap(j, j + 1);
                }
            }
        }
        u64::from_le_bytes(v) ^ b
    }
    copy_overlapping(a, b) {
        let mut v = [0u8; 16];
        v[..8].copy_from_slice(&a.to_be_bytes());
        v.copy_within(0..8, (b % 8) as usize);
        u64::from_le_bytes([v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]]) ^ v[15] as u64
    }
    copy_padding(a, b) {
        let p = make(a);
        let q = [make(b), p];
        let [r, s] = q;
        r.wide as u64 ^ (s.half as u64) << 32 ^ (s.tag as u64) << 48 ^ r.tag as u64
    }
    option_byte(a, b) {
        match (small(a), small(b)) {
            (Some(x), Some(y)) => x as u64 * 256 + y as u64,
            (Some(x), None) => x as u64 + 100_000,
            (None, Some(y)) => y as u64 + 200_000,
            (None, None) => 300_000,
        }
    }
    result_niche(a, b) {
        match checked(a as u8, b as u8) {
            Ok(n) => n as u64,
            Err(wide) => wide as u64 + 1_000_000,
        }
    }
    enum_match(a, b) {
        match shape(a) {
            Shape::Point => b,
            Shape::Line(n) => n as u64 ^ b,
            Shape::Box { w, h } => w as u64 * h as u64,
        }
    }
    dynamic(a, b) {
        let add = Add(a);
        let twist = Twist(a as u32);
        let steps: [&dyn Step; 3] = [&add, &twist, &add];
        let mut n = b;
        for s in steps {
            n = apply(s, n);
        }
        n
    }
    function_pointer(a, b) { if b % 2 == 0 { twice(triple, a) } else { twice(u64::swap_bytes, a) ^ b } }
    recursion(a, b) { ackermann(a % 3, b % 4) }
    unwrap_none(a, b) { small(a).unwrap() as u64 + b }
    pointer_walk(a, b) {
        let v = [a, b, a ^ b, a & b];
        let mut p = v.as_ptr();
        let mut sum = 0u64;
        for _ in 0..4 {
            // SAFETY: There are four elements.
            unsafe {
                sum = sum.wrapping_add(*p);
                p = p.add(1);
            }
        }
        // SAFETY: Both point into the array.
        sum.wrapping_add(unsafe { p.offset_from(v.as_ptr()) } as u64)
    }
    pointer_bits(a, b) {
        let v = [a, b];
        let p = (&raw const v[1]) as usize;
        let q = (p & !7) as *const u64;
        // SAFETY: The address is that of an element.
        unsafe { *q ^ (p % 8) as u64 }
    }
    chars(a, b) {
        match char::from_u32(a as u32) {
            Some(c) => c.len_utf8() as u64 + ((c as u32 as u64) << 8) + c.is_ascii_digit() as u64,
            None => b,
        }
    }
    zip_sum(a, b) {
        let (x, y) = (a.to_le_bytes(), b.to_le_bytes());
        x.iter().zip(y.iter().rev()).map(|(p, q)| *p as u64 * *q as u64).sum()
    }
    parity_chain(a, b) {
        let mut n = a | 1;
        let mut k = 0u64;
        while n != 1 && k < b % 200 {
            n = if n % 2 == 0 { n / 2 } else { n.wrapping_mul(3).wrapping_add(1) };
            k += 1;
        }
        n ^ k
    }
}
