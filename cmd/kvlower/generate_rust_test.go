package main

import (
	"fmt"
	"math/rand"
	"strings"
)

// rustWriter writes random checks in Rust: integers with their overflow
// checks, arrays, slices, options, matches, loops of few rounds and calls, and in part (generate_memory_test.go) what those are made of. Whatever level
// they are compiled at, they panic with the same inputs at the same places.
type rustWriter struct {
	rnd    *rand.Rand
	out    strings.Builder
	n      int
	depth  int
	vars   map[string][]string // by type; those in scope
	arrays []rustArray
	tame   bool // nothing that can panic is written, but that claims may not hold
}

// rustArray is an array of bytes that may be written to.
type rustArray struct {
	name string
	len  int
}

// generateRust returns a source with as many checks.
func generateRust(seed int64, checks int) string {
	w := &rustWriter{rnd: rand.New(rand.NewSource(seed))}
	w.out.WriteString(rustHead + rustMemoryHead)
	for i := range checks {
		w.check(i)
	}
	return w.out.String()
}

const rustHead = `#![no_std]
#![allow(arithmetic_overflow, unconditional_panic)]
include!("../../../engine/testdata/prelude.rs");

#[inline(never)]
fn half(x: u8) -> u8 { x / 2 }
fn less(x: u8) -> u8 { x - 1 }
fn take(a: &[u8], i: usize) -> Option<u8> { a.get(i).copied() }
fn put(a: &mut [u8], i: usize, x: u8) -> u8 { let old = a[i]; a[i] = x; old }

trait Step { fn step(&self, x: u8) -> u8; }
struct Add(u8);
struct Table([u8; 3]);
impl Step for Add { fn step(&self, x: u8) -> u8 { x + self.0 } }
impl Step for Table { fn step(&self, x: u8) -> u8 { self.0[x as usize] } }
`

func (w *rustWriter) check(i int) {
	w.vars, w.arrays, w.depth, w.tame = map[string][]string{}, nil, 0, w.chance(60)
	fmt.Fprintf(&w.out, "\n#[no_mangle]\npub extern \"C\" fn check_g%d() -> u8 {\n", i)
	for _, t := range []string{"u8", "u8", "i8", "usize"} {
		from := "any8()"
		if w.chance(50) {
			from = fmt.Sprintf("any8() %% %d", 2+w.rnd.Intn(9))
		}
		w.let(t, "("+from+") as "+t)
	}
	w.array()
	for range 5 + w.rnd.Intn(5) {
		w.statement()
	}
	w.line("%s", w.expr("u8", 2))
	w.out.WriteString("}\n")
}

func (w *rustWriter) chance(percent int) bool { return w.rnd.Intn(100) < percent }

// or is wild if something may panic, else tame.
func (w *rustWriter) or(wild, tame string) string {
	if w.tame {
		return tame
	}
	return wild
}

func (w *rustWriter) pick(words ...string) string { return words[w.rnd.Intn(len(words))] }

func (w *rustWriter) line(format string, args ...any) {
	fmt.Fprintf(&w.out, strings.Repeat("    ", w.depth+1)+format+"\n", args...)
}

func (w *rustWriter) name() string {
	w.n++
	return fmt.Sprintf("v%d", w.n)
}

// let makes a variable, which may be assigned to later.
func (w *rustWriter) let(t, value string) string {
	v := w.name()
	w.line("let mut %s: %s = %s;", v, t, value)
	w.vars[t] = append(w.vars[t], v)
	return v
}

func (w *rustWriter) array() {
	a := rustArray{w.name(), 2 + w.rnd.Intn(5)}
	w.line("let mut %s = [%s; %d];", a.name, w.expr("u8", 1), a.len)
	w.arrays = append(w.arrays, a)
}

func (w *rustWriter) anyArray() rustArray { return w.arrays[w.rnd.Intn(len(w.arrays))] }

// index is mostly below n.
func (w *rustWriter) index(n int) string {
	e := w.expr("usize", 1)
	if w.tame || w.chance(70) {
		return fmt.Sprintf("(%s) %% %d", e, n)
	}
	return e
}

var rustTypes = []string{"u8", "u8", "i8", "u16", "i32", "usize"}

func (w *rustWriter) kind() string { return rustTypes[w.rnd.Intn(len(rustTypes))] }

// leaf is a variable, another one's value cast, or a number.
func (w *rustWriter) leaf(t string) string {
	if vs := w.vars[t]; len(vs) > 0 && w.chance(60) {
		return vs[w.rnd.Intn(len(vs))]
	}
	if vs := w.vars[w.kind()]; len(vs) > 0 && w.chance(60) {
		return fmt.Sprintf("(%s as %s)", vs[w.rnd.Intn(len(vs))], t)
	}
	return fmt.Sprintf("%d%s", w.rnd.Intn(12), t)
}

// expr is an expression of an integer type, in parentheses where it needs some.
func (w *rustWriter) expr(t string, depth int) string {
	if depth == 0 {
		return w.leaf(t)
	}
	a, b := w.expr(t, depth-1), w.expr(t, w.rnd.Intn(depth))
	small := t == "u8" || t == "i8"
	switch w.rnd.Intn(12) {
	case 0:
		return fmt.Sprintf(w.or("(%s %s %s)", "%s.wrapping_%s(%s)"), a, w.or(w.pick("+", "-"), w.pick("add", "sub")), b)
	case 1:
		if small {
			return fmt.Sprintf(w.or("(%s %s %s)", "%s.checked_%s(%s).unwrap_or(1)"), a, w.or(w.pick("*", "/", "%"), w.pick("mul", "div", "rem")), b)
		}
		return fmt.Sprintf("(%s %s %s)", a, w.pick("&", "|", "^"), b)
	case 2:
		return fmt.Sprintf("(%s %s (%s%s))", a, w.pick("<<", ">>"), w.expr("u8", 0), w.or("", " % 8"))
	case 3:
		return fmt.Sprintf("%s.%s(%s)", a, w.pick("wrapping_add", "wrapping_sub", "saturating_add", "saturating_sub", "min", "max"), b)
	case 4:
		return fmt.Sprintf("%s.checked_%s(%s).%s", a, w.pick("add", "sub"), b, w.pick(w.or("unwrap()", "unwrap_or(9)"), "unwrap_or(3)", "unwrap_or_default()"))
	case 5:
		return fmt.Sprintf("(if %s { %s } else { %s })", w.truth(depth-1), a, b)
	case 6:
		return fmt.Sprintf("(match %s { 0 => %s, 1..=5 => %s, n => n })", a, b, w.leaf(t))
	case 7:
		if len(w.arrays) > 0 {
			v := w.anyArray()
			return fmt.Sprintf("(%s[%s] as %s)", v.name, w.index(v.len), t)
		}
	case 8:
		if t == "u8" && len(w.arrays) > 0 {
			return fmt.Sprintf("take(&%s, %s).%s", w.anyArray().name, w.expr("usize", 1), w.pick("unwrap_or(1)", "map_or(0, half)", w.or("unwrap()", "unwrap_or(2)")))
		}
	case 9:
		if t == "u8" {
			return fmt.Sprintf("%s(%s)", w.or("less", "half"), a)
		}
	case 10:
		return fmt.Sprintf("(%s.%s() as %s)", a, w.pick("count_ones", "leading_zeros", "trailing_zeros"), t)
	}
	return a
}

func (w *rustWriter) truth(depth int) string {
	t := w.kind()
	c := fmt.Sprintf("%s %s %s", w.expr(t, max(depth, 0)), w.pick("<=", ">=", "==", "!="), w.leaf(t))
	if depth > 0 && w.chance(25) {
		return fmt.Sprintf("(%s) %s (%s)", c, w.pick("&&", "||"), w.truth(depth-1))
	}
	return c
}

func (w *rustWriter) statement() {
	sorts := []func(){w.declare, w.declare, w.assign, w.store, w.store, w.array, w.total, w.swap, w.call, w.option, w.object, w.claim}
	if w.chance(50) {
		sorts = w.memoryStatements()
	}
	if w.depth < 2 {
		sorts = append(sorts, w.branch, w.branch, w.count, w.shrink)
	}
	sorts[w.rnd.Intn(len(sorts))]()
}

func (w *rustWriter) declare() {
	t := w.kind()
	w.let(t, w.expr(t, 1+w.rnd.Intn(2)))
}

func (w *rustWriter) assign() {
	t := w.kind()
	if vs := w.vars[t]; len(vs) > 0 {
		w.line("%s %s %s;", vs[w.rnd.Intn(len(vs))], w.pick("=", "=", w.or("+=", "|="), w.or("-=", "&="), "^="), w.expr(t, 1))
	}
}

func (w *rustWriter) store() {
	a, i := w.anyArray(), w.name()
	w.line("let %s = %s;", i, w.index(a.len))
	w.line("%s[%s] = %s;", a.name, i, w.expr("u8", 1))
}

// total goes over a part of an array.
func (w *rustWriter) total() {
	a := w.anyArray()
	lo, hi := w.index(a.len), w.index(a.len+1)
	part := fmt.Sprintf("%s[%s..%s]", a.name, lo, hi)
	if w.tame || w.chance(40) {
		part = a.name
	}
	w.let("u8", strings.ReplaceAll(w.pick(
		"P.iter().fold(0, |s, x| s ^ x)", "P.iter().copied().max().unwrap_or(7)", w.or("P.iter().sum()", "P.iter().copied().min().unwrap_or(0)"), "P.len() as u8",
		"P.windows(2).filter(|p| p[0] <= p[1]).count() as u8", "P.chunks(2).map(|c| c[c.len() - 1]).fold(0, u8::wrapping_add)",
		"P.iter().rev().zip(1..).map(|(x, i)| x & i).fold(0, |s, x| s | x)", "*P.first().unwrap()", "P.iter().position(|x| *x == 3).unwrap_or(0) as u8"), "P", part))
}

func (w *rustWriter) swap() {
	a, i, j, x := w.anyArray(), w.name(), w.name(), w.name()
	w.line("let (%s, %s, %s) = (%s, %s, %s);", i, j, x, w.index(a.len), w.index(a.len), w.expr("u8", 1))
	w.line("%s.%s;", a.name, w.pick("swap("+i+", "+j+")", "reverse()", "fill("+x+")", "copy_within(0..1, 1)"))
}

func (w *rustWriter) call() {
	a, i, x := w.anyArray(), w.name(), w.name()
	w.line("let (%s, %s) = (%s, %s);", i, x, w.index(a.len), w.leaf("u8"))
	w.let("u8", fmt.Sprintf("put(&mut %s, %s, %s)", a.name, i, x))
}

func (w *rustWriter) option() {
	v := w.name()
	w.line("let %s: Option<u8> = if %s { Some(%s) } else { None };", v, w.truth(1), w.expr("u8", 1))
	w.let("u8", w.pick(w.or(v+".unwrap()", v+".unwrap_or_default()"), v+".unwrap_or(2)", "match "+v+" { Some(x) if x <= 9 => x, Some(_) => 1, None => 0 }", v+".map_or(4, "+w.or("less", "half")+")"))
}

// object calls a function through a table.
func (w *rustWriter) object() {
	v := w.name()
	w.line("let %s: &dyn Step = if %s { &Add(%s%s) } else { &Table([1, %s, 3]) };", v, w.truth(1), w.leaf("u8"), w.or("", " % 9"), w.leaf("u8"))
	w.let("u8", fmt.Sprintf("%s.step(%s%s)", v, w.expr("u8", 1), w.or("", " % 3")))
}

func (w *rustWriter) claim() {
	if w.chance(30) {
		w.line("assert!(%s);", w.truth(1))
	}
}

// block writes statements whose variables nobody sees afterwards.
func (w *rustWriter) block(head string, n int) {
	w.line("%s {", head)
	vars, arrays := map[string][]string{}, w.arrays
	for t, vs := range w.vars {
		vars[t] = vs[:len(vs):len(vs)]
	}
	w.depth++
	for range n {
		w.statement()
	}
	w.depth--
	w.vars, w.arrays = vars, arrays[:len(arrays):len(arrays)]
	w.line("}")
}

func (w *rustWriter) branch() {
	w.block("if "+w.truth(2), 1+w.rnd.Intn(2))
	if w.chance(40) {
		w.block("else", 1)
	}
}

func (w *rustWriter) count() {
	i := w.name()
	old := w.vars["usize"]
	end := fmt.Sprintf("(%s) %% 4", w.expr("usize", 1))
	w.vars["u8"] = w.vars["u8"][:len(w.vars["u8"]):len(w.vars["u8"])]
	w.line("let end_%s = %s;", i, end)
	w.block(fmt.Sprintf("for %s in 0..end_%s", i, i), 1+w.rnd.Intn(2))
	w.vars["usize"] = old
}

func (w *rustWriter) shrink() {
	v := w.name()
	w.line("let mut %s = %s %% 4;", v, w.expr("u8", 1))
	w.line("while %s != 0 {", v)
	w.depth++
	w.line("%s -= 1;", v)
	w.store()
	w.depth--
	w.line("}")
}
