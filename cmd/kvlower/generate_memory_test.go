package main

import (
	"fmt"
	"strings"
)

// rustMemoryHead is what statements about memory, tables of functions, records and enums use.
const rustMemoryHead = `
use core::cmp::Ordering as Order;
use core::num::NonZeroU8;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

fn less_eight(x: u8) -> u8 { x & 7 }
fn other(x: u8) -> u8 { !x }
static TABLE: [fn(u8) -> u8; 3] = [half, less_eight, other];
#[inline(never)]
fn twice(f: fn(u8) -> u8, x: u8) -> u8 { f(f(x)) }
#[inline(never)]
fn each(a: &[u8], f: &mut dyn FnMut(u8) -> bool) -> usize { for (i, x) in a.iter().enumerate() { if f(*x) { return i; } } a.len() }
fn deep(n: u8, a: &[u8]) -> u8 { match a.split_first() { Some((x, rest)) if n > 0 => x ^ deep(n - 1, rest), _ => n } }

#[derive(Clone, Copy, PartialEq)]
enum Kind { Plain, Small(u8), Large { flag: bool, size: u16 } }
fn kind(t: u8, x: u8) -> Kind { match t % 3 { 0 => Kind::Plain, 1 => Kind::Small(x), _ => Kind::Large { flag: x > 3, size: x as u16 * 3 } } }
fn flags(x: u8) -> Option<Option<bool>> { match x % 4 { 0 => None, 1 => Some(None), n => Some(Some(n == 3)) } }

#[derive(Clone, Copy)]
struct Record { a: u8, b: u32, c: [u8; 2], next: Option<&'static u8> }
static ONE: u8 = 1;
union Both { word: u16, bytes: [u8; 2] }
`

// memoryStatements are added to the sorts of statements: what safe Rust's containers are made of, well-defined all the same.
func (w *rustWriter) memoryStatements() []func() {
	return []func(){w.table, w.raw, w.move, w.order, w.atomic, w.wide, w.shift, w.variant, w.records, w.rows, w.closure, w.nested, w.bytes, w.recurse}
}

// small is a number below n, in a variable of its own.
func (w *rustWriter) small(n string) string {
	v := w.name()
	w.line("let %s = (%s) %% (%s);", v, w.expr("usize", 1), n)
	return v
}

// byte is a number in a variable of its own.
func (w *rustWriter) byte() string {
	v := w.name()
	w.line("let %s: u8 = %s;", v, w.expr("u8", 1))
	return v
}

func (w *rustWriter) table() {
	x := w.byte()
	w.let("u8", w.pick(
		fmt.Sprintf("TABLE[%s](%s)", w.index(3), x),
		fmt.Sprintf("twice(if %s { half } else { other }, %s)", w.truth(1), x),
		fmt.Sprintf("twice(TABLE[%s], %s)", w.index(3), x)))
}

// raw writes and reads through pointers into one array that are made of one exclusive reference.
func (w *rustWriter) raw() {
	a, p, x := w.anyArray(), w.name(), w.byte()
	i, j := w.small(fmt.Sprint(a.len)), w.small(fmt.Sprint(a.len))
	w.line("let %s = %s.as_mut_ptr();", p, a.name)
	s := strings.NewReplacer("P", p, "I", i, "J", j, "X", x)
	w.let("u8", s.Replace(w.pick(
		"unsafe { let q = P.add(I); *P.add(J) = X; *q }",
		"unsafe { P.add(I).write_volatile(X); P.add(J).read_volatile() }",
		"unsafe { core::ptr::swap(P.add(I), P.add(J)); core::ptr::replace(P.add(J), X) }",
		"unsafe { let (q, r) = (&raw mut *P.add(I), P.add(J) as *const u8); q.write(X); r.read() }",
		"unsafe { let n = P.add(I) as usize; *((n + J - I) as *mut u8) = X; *P.add(I) }")))
}

// move copies a part of an array onto another, which it may overlap.
func (w *rustWriter) move() {
	a, p := w.anyArray(), w.name()
	i, j := w.small(fmt.Sprint(a.len)), w.small(fmt.Sprint(a.len))
	n := w.small(fmt.Sprintf("%d - if %s > %s { %s } else { %s }", a.len+1, i, j, i, j))
	w.line("let %s = %s.as_mut_ptr();", p, a.name)
	if w.chance(50) {
		w.line("unsafe { core::ptr::copy(%s.add(%s), %s.add(%s), %s) };", p, i, p, j, n)
	} else {
		w.line("%s.copy_within(%s..%s + %s, %s);", a.name, i, i, n, j)
	}
}

// order compares places in arrays.
func (w *rustWriter) order() {
	a, b := w.anyArray(), w.anyArray()
	i, j := w.small(fmt.Sprint(a.len)), w.small(fmt.Sprint(b.len))
	p, q := fmt.Sprintf("%s.as_ptr().wrapping_add(%s)", a.name, i), fmt.Sprintf("%s.as_ptr().wrapping_add(%s)", b.name, j)
	if a.name == b.name {
		w.let("u8", fmt.Sprintf("(%s %s %s) as u8", p, w.pick("<", "<=", "=="), q))
		w.let("u8", fmt.Sprintf("unsafe { %s.offset_from(%s) } as u8", p, q))
		return
	}
	w.let("u8", fmt.Sprintf("core::ptr::eq(%s, %s) as u8", p, q))
}

func (w *rustWriter) atomic() {
	c, x, y := w.name(), w.byte(), w.byte()
	op := w.pick("add", "sub", "and", "nand", "or", "xor", "max", "min")
	if w.chance(50) {
		w.line("let %s = AtomicU8::new(%s);", c, x)
		w.let("u8", fmt.Sprintf("%s.fetch_%s(%s, Ordering::Relaxed)", c, op, y))
		w.let("u8", fmt.Sprintf("match %s.compare_exchange(%s, %s, Ordering::AcqRel, Ordering::Relaxed) { Ok(v) => v, Err(v) => v ^ 1 }", c, y, x))
		w.let("u8", fmt.Sprintf("%s.swap(3, Ordering::SeqCst)", c))
		return
	}
	w.line("let %s = AtomicU32::new(%s as u32 * 0x01010101);", c, x)
	w.let("u8", fmt.Sprintf("(%s.fetch_%s(%s as u32, Ordering::Relaxed) >> 8) as u8", c, op, y))
	w.let("i32", fmt.Sprintf("%s.load(Ordering::Acquire) as i32", c))
}

// wide computes in 128 bits.
func (w *rustWriter) wide() {
	t, u := w.pick("u128", "i128"), w.name()
	x, y := w.byte(), w.byte()
	w.line("let %s = (%s as %s).wrapping_mul(0x%x_0000_0000_0000_0001) ^ ((%s as %s) << (%s %% 128));", u, x, t, 1+w.rnd.Intn(1<<16), y, t, x)
	w.let("u8", strings.NewReplacer("U", u, "T", t, "Y", y).Replace(w.pick(
		"(U >> (Y % 128)) as u8", "U.leading_zeros() as u8", "U.count_ones() as u8", "(U / (Y as T + 1)) as u8", "(U % (Y as T + 7)) as u8",
		"U.checked_mul(Y as T).map_or(9, |v| (v >> 64) as u8)", "(U < (Y as T) << 70) as u8", "U.rotate_left(Y as u32) as u8", "(U.wrapping_neg() >> 100) as u8",
		"U.checked_add(T::MAX - Y as T).is_some() as u8", "(U as u64 as u128 + (Y as u128) << 60 >> 64) as u8")))
}

func (w *rustWriter) shift() {
	t := w.kind()
	x, n := w.name(), w.byte()
	w.line("let %s: %s = %s;", x, t, w.expr(t, 1))
	w.let(t, strings.NewReplacer("X", x, "N", n).Replace(w.pick(
		"X.wrapping_shl(N as u32)", "X.wrapping_shr(N as u32)", "X.checked_shl(N as u32).unwrap_or(3)", "X.overflowing_shr(N as u32).0",
		"X.rotate_right(N as u32)", "X.swap_bytes()", "X.reverse_bits()", "X.wrapping_neg()", "X.wrapping_pow(N as u32 % 4)")))
}

// variant takes enums apart.
func (w *rustWriter) variant() {
	t, x := w.byte(), w.byte()
	w.let("u8", strings.NewReplacer("T", t, "X", x).Replace(w.pick(
		"match kind(T, X) { Kind::Plain => 0, Kind::Small(n) if n > 4 => n, Kind::Small(_) => 1, Kind::Large { flag: true, size } => size as u8, Kind::Large { .. } => 2 }",
		"match flags(T) { None => 0, Some(None) => 1, Some(Some(b)) => 2 + b as u8 }",
		"NonZeroU8::new(X).map_or(0, |n| n.get().leading_zeros() as u8 + n.trailing_zeros() as u8)",
		"match T.cmp(&X) { Order::Less => 1, Order::Equal => 2, Order::Greater => 3 }",
		"(T.cmp(&X).then(X.cmp(&4)).reverse() as i8) as u8",
		"char::from_u32(X as u32 * 0x400 + T as u32).map_or(0, |c| c.len_utf8() as u8)",
		"(kind(T, X) == kind(X, T)) as u8",
		"match (flags(T), kind(X, T)) { (Some(Some(true)), Kind::Small(n)) => n, (None, Kind::Large { size, .. }) => (size / 3) as u8, (a, _) => a.is_some() as u8 }",
		"(match T % 3 { 0 => Ok(X), 1 => Err(None), _ => Err(Some(X)) } as Result<u8, Option<u8>>).unwrap_or_else(|e| e.unwrap_or(5))")))
}

// records reads and writes a field of a record at an index.
func (w *rustWriter) records() {
	r, x := w.name(), w.byte()
	n := 2 + w.rnd.Intn(3)
	w.line("let mut %s = [Record { a: %s, b: 7, c: [1, %s], next: None }; %d];", r, x, w.leaf("u8"), n)
	i, j := w.index(n), w.index(n)
	w.line("%s[%s].%s = %s;", r, i, w.pick("a", "c[1]", "c[0]"), w.expr("u8", 1))
	w.line("%s[%s].b %s %s as u32;", r, j, w.pick("+=", "^=", "="), x)
	if w.chance(50) {
		w.line("%s[%s].next = Some(&ONE);", r, w.index(n))
	}
	w.let("u8", strings.ReplaceAll(fmt.Sprintf(w.pick("R[%s].a", "R[%s].b as u8", "R[%s].c[1]", "R[%s].next.map_or(0, |x| *x)"), w.index(n)), "R", r))
	w.let("u8", strings.ReplaceAll(w.pick("R.iter().filter(|r| r.next.is_some()).count() as u8", "R.iter().map(|r| r.c[0] ^ r.a).fold(0, |s, x| s ^ x)",
		"R.iter().position(|r| r.b != 7).map_or(9, |i| i as u8)"), "R", r))
}

// rows is a slice of slices.
func (w *rustWriter) rows() {
	a, b, v := w.anyArray(), w.anyArray(), w.name()
	w.line("let %s = [&%s[..], &%s[%d..]];", v, a.name, b.name, w.rnd.Intn(b.len))
	i, x := w.small("2"), w.byte()
	w.let("u8", strings.NewReplacer("R", v, "I", i, "X", x).Replace(w.pick(
		"R[I].iter().fold(0, |s, x| s ^ x)", "R[I].get(X as usize).copied().unwrap_or(4)", "R[I].len() as u8",
		"R.iter().map(|r| r.len()).sum::<usize>() as u8", "R[I].last().map_or(0, |x| *x)", "R[I][X as usize % R[I].len()]",
		"R[I].split_at(X as usize % R[I].len()).1[0]", "(R[0] < R[1]) as u8", "(R[I] == R[1 - I]) as u8", "R[I].chunks_exact(2).map(|c| c[1]).fold(X, |s, x| s | x)")))
}

// closure calls one that changes what it holds.
func (w *rustWriter) closure() {
	a, acc, x := w.anyArray(), w.name(), w.byte()
	w.line("let mut %s: u8 = %s;", acc, x)
	w.let("usize", fmt.Sprintf("each(&%s, &mut |x| { %s = %s.wrapping_add(x); %s > %s })", a.name, acc, acc, acc, w.leaf("u8")))
	w.vars["u8"] = append(w.vars["u8"], acc)
}

// nested is a loop in a loop, each of as many rounds as inputs say.
func (w *rustWriter) nested() {
	a, s := w.anyArray(), w.let("u8", "0")
	n, m, out := w.small("4"), w.small("3"), w.name()
	w.line("'%s: for i in 0..%s {", out, n)
	w.line("    for j in %s..%s {", w.pick("0", "i"), m)
	w.line("        if i + j == %s { %s '%s; }", w.leaf("usize"), w.pick("break", "continue"), out)
	w.line("        %s = %s.%s(%s[(i + j) %% %d]);", s, s, w.pick("wrapping_add", w.or("wrapping_mul", "wrapping_sub"), "max"), a.name, a.len)
	w.line("        %s[j %% %d] ^= i as u8;", a.name, a.len)
	w.line("    }")
	w.line("}")
}

// bytes takes words apart.
func (w *rustWriter) bytes() {
	x, y := w.byte(), w.byte()
	w.let("u8", strings.NewReplacer("X", x, "Y", y).Replace(w.pick(
		"unsafe { let mut u = Both { word: X as u16 * 257 }; u.bytes[Y as usize % 2] = 5; (u.word >> 4) as u8 }",
		"u32::from_le_bytes([X, Y, 1, X]).to_be_bytes()[Y as usize % 4]",
		"(u64::from_be_bytes([X, Y, 3, 4, X, 6, 7, Y]) >> (X % 64)) as u8",
		"unsafe { let mut m = [core::mem::MaybeUninit::<u8>::uninit(); 3]; for c in &mut m { c.write(X); } m[Y as usize % 3].assume_init() }",
		"unsafe { core::mem::transmute::<[u8; 2], u16>([X, Y]) as u8 ^ core::mem::transmute::<u32, [u8; 4]>(X as u32 * 0x10101)[Y as usize % 4] }")))
}

func (w *rustWriter) recurse() {
	w.let("u8", fmt.Sprintf("deep(%s, &%s)", w.byte()+" % 6", w.anyArray().name))
}
