package check_test

import (
	"fmt"
	"strings"
)

// The sorts of statements that work on memory of which the places are not looked at one by one, and
// the models that the others do not call.

// bufferExterns declares what they call.
const bufferExterns = `extern @find "memchr" (ptr, i32, i64) -> ptr
extern @mask "llvm.ptrmask" (ptr, i64) -> ptr
extern @hint "llvm.assume" (i1)
extern @trap "llvm.trap" () noreturn
extern @bytes "kvfarm_any_bytes" (ptr, i64)
extern @truth "kvfarm_any_bool" () -> i1
extern @bit "rust_helper___set_bit" (i64, ptr)
extern @clear "rust_helper___clear_bit" (i64, ptr)
extern @swap16 "llvm.bswap" (i16) -> i16
extern @turn "llvm.bitreverse" (i8) -> i8
extern @isconst "llvm.is.constant" (i64) -> i1
global @wide const align 2 = "\01\07\02\ff", zero 9000, "\03\05", zero 9000, "\09\80"
global @whole const align 8 = ptr @ga, ptr @gb
`

const bufferFuncs = `
func @own (ptr byval [8 x i8] align 1 %p, i64 %i, i8 %x) -> i8 {
  %q = gep ptr %p, i64 %i * 1
  %v = load i8, ptr %q, align 1
  store i8 %x, ptr %q, align 1
  %w = load i8, ptr %p, align 1
  %r = add i8 %v, %w
  ret i8 %r
}

func @ga (i8 %x) -> i8 {
  %r = add i8 %x, 3
  ret i8 %r
}

func @gb (i16 %x) -> i16 {
  ret i16 %x
}

func @pair (i8 %x, ptr %p) -> {i8, i32} {
  %v = load {i8, i32}, ptr %p, align 4
  %w = insertvalue {i8, i32} %v, i8 %x, 0
  store {i8, i32} %w, ptr %p, align 4
  ret {i8, i32} %v
}
`

// generateBuffers returns the text of a slice that uses large objects, and models that others do not.
func generateBuffers(seed int64) string {
	g := newSliceGenerator(seed)
	g.sorts = g.bufferSorts()
	g.sorts = append(g.sorts, g.sorts...)
	return g.bufferSlice()
}

// generateBufferLoops returns the text of a slice with long loops over objects that are written to at unknown places.
func generateBufferLoops(seed int64) string {
	g := newSliceGenerator(seed)
	g.rounds = 7
	g.sorts = []func(){g.filling, g.filling, g.filling, g.vast}
	return g.bufferSlice()
}

func (g *generator) bufferSlice() string {
	root := "\nfunc @check () {\n" + g.body(nil, 0, 10) + "}\n"
	text := generatedHead
	for i := range g.locs {
		text += fmt.Sprintf("global @l%d loc %d\n", i, i)
	}
	return text + bufferExterns + g.externs(root) + root + bufferFuncs
}

func (g *generator) bufferSorts() []func() {
	return []func(){g.vast, g.vast, g.table, g.find, g.masked, g.copied, g.signature, g.structs, g.hints, g.given, g.bitmap, g.swapped, g.exchanged}
}

// vast uses an object with too many places to look at each, which may not be set everywhere.
func (g *generator) vast() {
	if g.depth > 1 { // in too many rounds
		return
	}
	a := array{name: g.name("%a"), elem: 8, count: 20000}
	g.line("%s = alloca %d, align 8", a.name, a.count)
	if g.chance(80) {
		g.line("call void @fill(ptr %s, i8 %s, i64 %d, i1 false)", a.name, g.of(8), g.pick2(a.count, a.count, 2000))
	}
	for range 1 + g.rnd.Intn(3) {
		w := []int{8, 16, 32, 64}[g.rnd.Intn(4)]
		g.line("store i%d %s, ptr %s, align 1", w, g.of(w), g.far(a))
	}
	if g.chance(30) {
		g.line("call void @%s(ptr %s, ptr %s, i64 %s, i1 false)", g.pick("copy", "move"), g.far(a), g.far(a), g.index(4))
	}
	for range 2 {
		w := []int{8, 16, 32}[g.rnd.Intn(3)]
		g.def(w, "load i%d%s, ptr %s, align 1", w, g.pick("", " noundef"), g.far(a))
	}
}

func (g *generator) pick2(n ...int) int { return n[g.rnd.Intn(len(n))] }

// far returns a pointer to an unknown byte of a large object, from which eight bytes mostly still fit.
func (g *generator) far(a array) string {
	i := g.def(64, "urem i64 %s, %d", g.of(64), g.pick2(a.count-7, a.count-7, a.count-7, 64, a.count+1))
	if g.chance(40) {
		i = g.def(64, "mul i64 %s, %d", g.index(13), 1+g.rnd.Intn(a.count/13))
	}
	p := g.name("%p")
	g.line("%s = gep ptr %s, i64 %s * 1", p, a.name, i)
	return p
}

// table reads a large constant.
func (g *generator) table() {
	w := []int{8, 16, 32}[g.rnd.Intn(3)]
	a := array{name: "@wide", elem: 8, count: 18008}
	g.def(w, "load i%d, ptr %s, align 1", w, g.far(a))
}

// find looks for a byte, and says where it is.
func (g *generator) find() {
	a := g.writable8()
	p, c := g.name("%p"), g.name("%c")
	g.line("store i8 %s, ptr %s, align 1", g.of(8), g.bytes(a, 1))
	g.line("%s = call ptr @find(ptr %s, i32 %s, i64 %s)", p, a.name, g.of(32), g.pick("8", g.index(9), g.index(12)))
	g.line("%s = icmp eq ptr %s, null", c, p)
	some, met, from, d := g.name("b"), g.name("b"), g.block, g.name("%n")
	g.line("br i1 %s, label %%%s, label %%%s", c, met, some)
	g.label(some)
	x, y := g.name("%n"), g.name("%n")
	g.line("%s = ptrtoint ptr %s to i64", x, p)
	g.line("%s = ptrtoint ptr %s to i64", y, a.name)
	g.line("%s = sub i64 %s, %s", d, x, y)
	g.line("br label %%%s", met)
	g.label(met)
	g.def(64, "phi i64 [-1, %s], [%s, %s]", from, d, some)
}

// masked clears the lowest bits of an address.
func (g *generator) masked() {
	a := g.writable8()
	p := g.name("%p")
	g.line("%s = call ptr @mask(ptr %s, i64 %s)", p, g.bytes(a, 1), g.pick("-8", "-4", "-2", "-1"))
	g.line("store i8 %s, ptr %s, align %s", g.of(8), p, g.pick("1", "1", "2", "8"))
	g.def(8, "load i8, ptr %s, align 1", g.bytes(a, 1))
}

// copied hands an object on by value: what the callee does to it stays there.
func (g *generator) copied() {
	a := g.writable8()
	if g.chance(20) { // some of it is not set
		a = array{name: g.name("%a"), elem: 8, count: 8}
		g.line("%s = alloca 8, align 8", a.name)
		g.line("store i32 %s, ptr %s, align 8", g.of(32), a.name)
	}
	p := a.name
	if g.chance(10) {
		p = g.bytes(a, 8)
	}
	g.def(8, "call i8 @own(ptr byval [8 x i8] align 1 %s, i64 %s, i8 %s)", p, g.index(8), g.of(8))
	g.def(8, "load i8, ptr %s, align 1", g.bytes(a, 1))
}

// signature calls a function through a table in which another has another type.
func (g *generator) signature() {
	slot, f := g.name("%p"), g.name("%f")
	i := g.def(64, "and i64 %s, %s", g.of(64), g.pick("0", "0", "1"))
	g.line("%s = gep inbounds ptr @whole, i64 %s * 8", slot, i)
	g.line("%s = load ptr, ptr %s, align 8", f, slot)
	g.def(8, "call i8 %s(i8 %s)", f, g.of(8))
}

// structs loads and stores structs with padding.
func (g *generator) structs() {
	a := g.writable8()
	q := g.name("%q")
	g.line("%s = call {i8, i32} @pair(i8 %s, ptr %s)", q, g.of(8), a.name)
	g.def(32, "extractvalue {i8, i32} %s, 1", q)
	i := g.def(64, "and i64 %s, %s", g.of(64), g.pick("4", "4", "4", "7"))
	p := g.name("%p")
	g.line("%s = gep inbounds ptr %s, i64 %s * 1", p, a.name, i)
	g.def(8, "load i8 noundef, ptr %s, align 1", p)
	g.arrays = g.arrays[:len(g.arrays)-1] // what lies between the fields may be anything
}

// hints takes something for granted, which mostly holds, or goes to a trap.
func (g *generator) hints() {
	w := g.any().bits
	x := g.of(w)
	if g.chance(60) {
		y := g.def(w, "and i%d %s, %s", w, x, g.of(w))
		g.line("call void @hint(i1 %s)", g.def(1, "icmp ule i%d %s, %s", w, y, x))
		return
	}
	if g.chance(50) {
		g.line("call void @hint(i1 %s)", g.condition())
		return
	}
	bad, good := g.name("b"), g.name("b")
	c := g.condition()
	d := g.def(1, "and i1 %s, %s", c, g.condition())
	g.line("br i1 %s, label %%%s, label %%%s", d, bad, good)
	g.label(bad)
	g.line("call void @trap() noreturn")
	g.line("unreachable")
	g.label(good)
}

// given asks for a truth, or for bytes.
func (g *generator) given() {
	if g.depth > 0 || g.bits < 1 {
		return
	}
	if g.bits < 8 || g.chance(70) {
		g.bits--
		g.def(1, "call i1 @truth()")
		return
	}
	g.bits -= 8
	a := g.writable8()
	g.line("call void @bytes(ptr %s, i64 %s)", g.bytes(a, 1), g.index(2))
	g.def(8, "load i8, ptr %s, align 1", g.bytes(a, 1))
}

// bitmap sets and clears a bit of two words.
func (g *generator) bitmap() {
	a := array{name: g.name("%a"), elem: 64, count: 2}
	g.line("%s = alloca 16, align 8", a.name)
	g.line("call void @fill(ptr %s, i8 %s, i64 16, i1 false)", a.name, g.of(8))
	g.arrays = append(g.arrays, a)
	for range 2 {
		n := g.def(64, "urem i64 %s, %d", g.of(64), g.pick2(128, 128, 128, 130))
		g.line("call void @%s(i64 %s, ptr %s)", g.pick("bit", "clear"), n, a.name)
	}
	g.def(64, "load i64, ptr %s, align 8", g.element(a, g.index(2)))
}

// swapped turns bytes and bits around.
func (g *generator) swapped() {
	g.def(16, "call i16 @swap16(i16 %s)", g.of(16))
	g.def(8, "call i8 @turn(i8 %s)", g.of(8))
}

// exchanged compares and exchanges words and pointers.
func (g *generator) exchanged() {
	a := g.writable8()
	w := []int{16, 32, 64}[g.rnd.Intn(3)]
	pair, p := g.name("%q"), g.bytes(a, w/8)
	if g.chance(90) {
		p = a.name
	}
	g.line("%s = cmpxchg %sptr %s, i%d %s, i%d %s acq_rel monotonic, align %d", pair, g.pick("", "weak "), p, w, g.of(w), w, g.of(w), w/8)
	t := fmt.Sprintf("{i%d, i1}", w)
	if strings.Contains(g.out.String()[strings.LastIndex(g.out.String(), pair):], "weak") {
		return // whether it fails is its own affair
	}
	g.def(w, "extractvalue %s %s, 0", t, pair)
	g.def(1, "extractvalue %s %s, 1", t, pair)
	m, b, old := g.name("%a"), g.writable8(), g.name("%p")
	g.line("%s = alloca 8, align 8", m)
	g.line("store ptr %s, ptr %s, align 8", a.name, m)
	g.line("%s = atomicrmw xchg ptr %s, ptr %s seq_cst, align 8", old, m, b.name)
	g.line("store i8 %s, ptr %s, align 1", g.of(8), old)
	now := g.name("%p")
	g.line("%s = load ptr, ptr %s, align 8", now, m)
	g.def(8, "load i8, ptr %s, align 1", now)
}

// filling writes to a place that hangs on the round, in rounds up to an input, and reads some place then.
func (g *generator) filling() {
	if g.depth > 0 {
		return
	}
	size := g.pick2(40, 300, 300, 800)
	a, b := array{name: g.name("%a"), elem: 8, count: size}, g.writable()
	g.line("%s = alloca %d, align 8", a.name, size)
	if set := g.pick2(size, size, size, 16, 0); set > 0 {
		g.line("call void @fill(ptr %s, i8 %s, i64 %d, i1 false)", a.name, g.of(8), set)
	}
	head, body, next, done := g.name("b"), g.name("b"), g.name("b"), g.name("b")
	limit := g.def(64, "and i64 %s, 15", g.of(64))
	i, i1, from := g.name("%i"), g.name("%i"), g.block
	start := g.def(64, "urem i64 %s, %d", g.of(64), size-20)
	g.line("br label %%%s", head)
	g.label(head)
	g.line("%s = phi i64 [0, %s], [%s, %s]", i, from, i1, next)
	more := g.name("%c")
	g.line("%s = icmp ult i64 %s, %s", more, i, limit)
	g.line("br i1 %s, label %%%s, label %%%s", more, body, done)
	g.label(body)
	vals := g.vals
	at, p := g.name("%n"), g.name("%p")
	g.line("%s = %s i64 %s, %s", at, g.pick("add", "add", "sub", "xor"), start, i)
	g.line("%s = gep ptr %s, i64 %s * %s", p, a.name, at, g.pick("1", "1", "1", "2"))
	x := g.of(8)
	if g.chance(50) {
		x = g.name("%v")
		g.line("%s = trunc i64 %s to i8", x, i)
	}
	switch g.rnd.Intn(4) {
	case 0:
		g.line("store i16 %s, ptr %s, align 1", g.of(16), p)
	case 1:
		g.line("call void @move(ptr %s, ptr %s, i64 %s, i1 false)", p, g.bytes(b, 1), g.index(2))
	case 2:
		v := g.name("%v")
		g.line("%s = load i8%s, ptr %s, align 1", v, g.pick("", " noundef"), p)
		g.line("store i8 %s, ptr %s, align 1", v, g.bytes(b, 1))
		fallthrough
	default:
		g.line("store i8 %s, ptr %s, align 1", x, p)
	}
	g.vals = vals[:len(vals):len(vals)]
	g.line("br label %%%s", next)
	g.label(next)
	g.line("%s = add nuw i64 %s, 1", i1, i)
	g.line("br label %%%s", head)
	g.label(done)
	for range 2 {
		g.def(8, "load i8%s, ptr %s, align 1", g.pick("", " noundef"), g.bytes(a, 1))
	}
}
