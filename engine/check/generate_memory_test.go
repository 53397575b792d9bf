package check_test

import "fmt"

// The sorts of statements that are hard on memory: bytes torn apart, pointers
// in memory, sizes and places that are inputs, objects that come and go.

const memoryHead = `extern @compare "memcmp" (ptr, ptr, i64) -> i32
extern @strlen "strlen" (ptr) -> i64
extern @realloc "krealloc" (ptr, i64, i32) -> ptr
extern @start "llvm.lifetime.start" (ptr)
extern @end "llvm.lifetime.end" (ptr)
global @m0 align 8 = "\01\02\03\04\05\06\07\08", undef 2, zero 6
global @fs const align 8 = ptr @fa, ptr @fb, ptr @fc

func @fa (i8 %x, ptr %p) -> i8 {
  %v = load i8, ptr %p, align 1
  %r = add i8 %v, %x
  ret i8 %r
}

func @fb (i8 %x, ptr %p) -> i8 {
  store i8 %x, ptr %p, align 1
  ret i8 %x
}

func @fc (i8 %x, ptr %p) -> i8 {
  %z = icmp ule i8 %x, 1
  br i1 %z, label %done, label %more
done:
  ret i8 %x
more:
  %h = lshr i8 %x, 2
  %r = call i8 @fc(i8 %h, ptr %p)
  %s = add i8 %r, 1
  ret i8 %s
}
`

// generateMemory returns the text of a slice that mostly works on memory.
func generateMemory(seed int64) string {
	g := newSliceGenerator(seed)
	g.sorts = append(g.memorySorts(), g.memorySorts()...)
	root := "\nfunc @check () {\n" + g.body(nil, 0, 12) + "}\n"
	text := generatedHead
	for i := range g.locs {
		text += fmt.Sprintf("global @l%d loc %d\n", i, i)
	}
	// The root stands first, whatever the order of the rest.
	return text + g.externs(root) + root + memoryHead
}

// memorySorts are added to the sorts of statements.
func (g *generator) memorySorts() []func() {
	return []func(){g.torn, g.torn, g.pointers, g.large, g.slide, g.words, g.sized, g.life, g.indirect, g.atomic, g.padded, g.walk, g.global, g.frozen}
}

// bytes returns a pointer to any byte of an array from which n bytes mostly still fit.
func (g *generator) bytes(a array, n int) string {
	size := a.elem / 8 * a.count
	i := g.of(64)
	if room := size - n + 1; room > 0 && !g.chance(6) {
		i = g.def(64, "urem i64 %s, %d", i, room)
	}
	p := g.name("%p")
	g.line("%s = gep %sptr %s, i64 %s * 1", p, g.pick("", "inbounds "), a.name, i)
	return p
}

func (g *generator) writable() array {
	for {
		if a := g.arrays[g.rnd.Intn(len(g.arrays))]; !a.fixed {
			return a
		}
	}
}

// torn writes and reads words of different widths at any byte.
func (g *generator) torn() {
	a := g.writable()
	w := []int{8, 16, 24, 32, 64, 128}[g.rnd.Intn(6)]
	g.line("store i%d %s, ptr %s, align 1", w, g.of(w), g.bytes(a, (w+7)/8))
	w = []int{8, 16, 32, 64}[g.rnd.Intn(4)]
	g.def(w, "load i%d, ptr %s, align 1", w, g.bytes(a, w/8))
}

// pointers keeps pointers in memory and loads one of them.
func (g *generator) pointers() {
	t := g.name("%t")
	g.line("%s = alloca 24, align 8", t)
	for i := range 3 {
		q := g.name("%p")
		g.line("%s = gep inbounds ptr %s, %d", q, t, 8*i)
		if g.chance(6) {
			g.line("store ptr %s, ptr %s, align 8", g.pick("null", "poison", "1"), q)
			continue
		}
		g.line("store ptr %s, ptr %s, align 8", g.bytes(g.writable(), 1), q)
	}
	if g.chance(30) { // a byte of one is written again
		g.line("call void @copy(ptr %s, ptr %s, i64 %s, i1 false)", g.writable8().name, t, g.index(3))
	}
	q, p := g.name("%p"), g.name("%p")
	g.line("%s = gep inbounds ptr %s, i64 %s * 8", q, t, g.index(3))
	g.line("%s = load ptr, ptr %s, align 8", p, q)
	g.line("store i8 %s, ptr %s, align 1", g.of(8), p)
	g.def(8, "load i8, ptr %s, align 1", g.bytes(g.writable(), 1))
}

// writable8 is an array of at least 8 bytes.
func (g *generator) writable8() array {
	a := array{name: g.name("%a"), elem: 8, count: 8}
	g.line("%s = alloca 8, align 8", a.name)
	g.line("call void @fill(ptr %s, i8 %s, i64 8, i1 false)", a.name, g.of(8))
	g.arrays = append(g.arrays, a)
	return a
}

// large uses an object with more places than are looked at one by one.
func (g *generator) large() {
	a := array{name: g.name("%a"), elem: 16, count: 400}
	g.line("%s = alloca 800, align 2", a.name)
	g.line("call void @fill(ptr %s, i8 %s, i64 800, i1 false)", a.name, g.of(8))
	for range 2 {
		w := []int{8, 16, 32}[g.rnd.Intn(3)]
		i := g.def(64, "mul i64 %s, %d", g.index(13), 1+g.rnd.Intn(60))
		p := g.name("%p")
		g.line("%s = gep inbounds ptr %s, i64 %s * %d", p, a.name, i, 1+g.rnd.Intn(2))
		g.line("store i%d %s, ptr %s, align 1", w, g.of(w), p)
	}
	g.def(16, "load i16, ptr %s, align 1", g.bytes(a, 2))
	if g.chance(30) {
		g.line("call void @%s(ptr %s, ptr %s, i64 %s, i1 false)", g.pick("copy", "move"), g.bytes(a, 4), g.bytes(a, 4), g.index(5))
		g.def(8, "load i8, ptr %s, align 1", g.bytes(a, 1))
	}
	g.arrays = append(g.arrays, a)
}

// slide moves bytes within an object or between two, from and to unknown places.
func (g *generator) slide() {
	a, b := g.writable(), g.writable()
	n := min(a.elem/8*a.count, b.elem/8*b.count, 6)
	g.line("call void @%s(ptr %s, ptr %s, i64 %s, i1 false)", g.pick("move", "move", "copy"), g.bytes(a, n), g.bytes(b, n), g.index(n+1))
}

// words looks at memory through C's functions.
func (g *generator) words() {
	a, b := g.writable(), g.arrays[g.rnd.Intn(len(g.arrays))]
	n := min(a.elem/8*a.count, b.elem/8*b.count)
	c := g.name("%n")
	g.line("%s = call i32 @compare(ptr %s, ptr %s, i64 %s)", c, a.name, b.name, g.index(n+1))
	g.def(1, "icmp %s i32 %s, 0", g.pick("eq", "slt", "sge"), c)
	if g.chance(40) && a.elem/8*a.count <= 8 {
		last := g.name("%p")
		g.line("%s = gep inbounds ptr %s, %d", last, a.name, a.elem/8*a.count-1)
		g.line("store i8 0, ptr %s, align 1", last)
		g.def(64, "call i64 @strlen(ptr %s)", g.bytes(a, 1))
	}
}

// sized allocates as much as an input says, and perhaps as much again.
func (g *generator) sized() {
	if g.bits < 2 || g.depth > 0 {
		return
	}
	g.bits -= 2
	n := g.def(64, "add i64 %s, 1", g.index(6))
	p, q, c := g.name("%p"), g.name("%p"), g.name("%c")
	some, none := g.name("b"), g.name("b")
	g.line("%s = call ptr @kmalloc(i64 %s, i32 %s)", p, n, g.pick("3264", "3520"))
	g.line("%s = icmp eq ptr %s, null", c, p)
	g.line("br i1 %s, label %%%s, label %%%s", c, none, some)
	g.label(some)
	vals, arrays := g.vals, g.arrays
	g.line("call void @fill(ptr %s, i8 %s, i64 %s, i1 false)", p, g.of(8), n)
	at := g.name("%p")
	g.line("%s = gep ptr %s, i64 %s * 1", at, p, g.index(6))
	g.line("store i8 %s, ptr %s, align 1", g.of(8), at)
	if g.chance(60) {
		size := g.def(64, "add i64 %s, 1", g.index(8))
		g.line("%s = call ptr @realloc(ptr %s, i64 %s, i32 %s)", q, p, size, g.pick("3264", "3520"))
		d, more := g.name("%c"), g.name("b")
		g.line("%s = icmp eq ptr %s, null", d, q)
		g.line("br i1 %s, label %%%s, label %%%s", d, none, more)
		g.label(more)
		p = q
	}
	g.def(8, "load i8%s, ptr %s, align 1", g.pick("", " noundef"), p)
	g.check()
	g.line("call void @kfree(ptr %s)", p)
	g.line("br label %%%s", none)
	g.vals, g.arrays = vals, arrays
	g.label(none)
}

// life ends an object's life, begins it again, and seldom touches it between.
func (g *generator) life() {
	a := g.writable8()
	g.line("call void @end(ptr %s)", a.name)
	if g.chance(10) {
		g.def(8, "load i8, ptr %s, align 1", a.name)
	}
	g.line("call void @start(ptr %s)", a.name)
	if !g.chance(10) {
		g.line("call void @fill(ptr %s, i8 %s, i64 8, i1 false)", a.name, g.of(8))
	}
}

// indirect calls one of three functions.
func (g *generator) indirect() {
	slot, f := g.name("%p"), g.name("%f")
	g.line("%s = gep inbounds ptr @fs, i64 %s * 8", slot, g.index(3))
	g.line("%s = load ptr, ptr %s, align 8", f, slot)
	g.def(8, "call i8 %s(i8 %s, ptr %s)", f, g.of(8), g.bytes(g.writable(), 1))
}

func (g *generator) atomic() {
	p := g.bytes(g.writable(), 1)
	op := g.pick("xchg", "add", "sub", "and", "nand", "or", "xor", "max", "min", "umax", "umin")
	g.def(8, "atomicrmw %s ptr %s, i8 %s monotonic, align 1", op, p, g.of(8))
	pair := g.name("%q")
	g.line("%s = cmpxchg ptr %s, i8 %s, i8 %s acq_rel monotonic, align 1", pair, p, g.of(8), g.of(8))
	g.def(1, "extractvalue {i8, i1} %s, 1", pair)
}

// padded copies a struct of which some bytes were never written, as one number or by bytes.
func (g *generator) padded() {
	a, b := array{name: g.name("%a"), elem: 8, count: 8}, g.writable8()
	g.line("%s = alloca 8, align 8", a.name)
	g.line("store i8 %s, ptr %s, align 8", g.of(8), a.name)
	q := g.name("%p")
	g.line("%s = gep inbounds ptr %s, 4", q, a.name)
	g.line("store i32 %s, ptr %s, align 4", g.of(32), q)
	if g.chance(50) {
		n := g.name("%n")
		g.line("%s = load i64, ptr %s, align 8", n, a.name)
		g.line("store i64 %s, ptr %s, align 8", n, b.name)
	} else {
		g.line("call void @copy(ptr %s, ptr %s, i64 8, i1 false)", b.name, a.name)
	}
	i := g.def(64, "shl i64 %s, 2", g.index(2))
	if g.chance(15) {
		i = g.index(8)
	}
	at := g.name("%p")
	g.line("%s = gep inbounds ptr %s, i64 %s * 1", at, b.name, i)
	g.def(8, "load i8 noundef, ptr %s, align 1", at)
	g.arrays = g.arrays[:len(g.arrays)-1] // not all of it may be looked at
}

// walk runs a pointer over an array up to an unknown end.
func (g *generator) walk() {
	if g.depth > 1 {
		return
	}
	a := g.writable()
	size := a.elem / 8 * a.count
	end, head, body, done := g.name("%p"), g.name("b"), g.name("b"), g.name("b")
	g.line("%s = gep inbounds ptr %s, i64 %s * 1", end, a.name, g.index(min(size, 3)+1))
	p, s, c, v, next, sum, from := g.name("%p"), g.name("%s"), g.name("%c"), g.name("%v"), g.name("%p"), g.name("%s"), g.block
	g.line("br label %%%s", head)
	g.label(head)
	g.line("%s = phi ptr [%s, %s], [%s, %s]", p, a.name, from, next, body)
	g.line("%s = phi i8 [0, %s], [%s, %s]", s, from, sum, body)
	g.line("%s = icmp %s ptr %s, %s", c, g.pick("eq", "uge"), p, end)
	g.line("br i1 %s, label %%%s, label %%%s", c, done, body)
	g.label(body)
	g.line("%s = load i8, ptr %s, align 1", v, p)
	g.line("%s = add i8 %s, %s", sum, s, v)
	if g.chance(40) {
		g.line("store i8 %s, ptr %s, align 1", sum, p)
	}
	g.line("%s = gep inbounds ptr %s, 1", next, p)
	g.line("br label %%%s", head)
	g.label(done)
	g.vals = append(g.vals[:len(g.vals):len(g.vals)], val{s, 8})
}

// global writes to and reads from a global that begins with some undefined bytes.
func (g *generator) global() {
	a := array{name: "@m0", elem: 8, count: 8}
	if g.chance(10) {
		a.count = 16
	}
	g.line("store i16 %s, ptr %s, align 1", g.of(16), g.bytes(a, 2))
	g.def(8, "load i8%s, ptr %s, align 1", g.pick("", " noundef"), g.bytes(a, 1))
}

// frozen is what is the same whatever freeze chose.
func (g *generator) frozen() {
	f := g.name("%n")
	g.line("%s = freeze i8 %s", f, g.of(8))
	g.def(1, "icmp %s i8 %s, %s", g.pick("eq", "ult", "uge"), f, f)
}
