package check_test

import (
	"fmt"
	"strings"
)

// statement writes one of all sorts, the simple ones more often.
func (g *generator) statement() {
	sorts := []func(){g.arithmetic, g.arithmetic, g.arithmetic, g.compare, g.compare, g.choose, g.intrinsic, g.intrinsic,
		g.load, g.load, g.store, g.store, g.input, g.call, g.aggregate, g.vector, g.transfer, g.check, g.check, g.panic, g.pointer, g.heap}
	if g.depth < 3 {
		sorts = append(sorts, g.branch, g.branch, g.loop, g.jump)
	}
	if g.rounds > 3 && g.depth == 0 {
		sorts = append(sorts, g.loop, g.loop, g.loop)
	}
	sorts = append(sorts, g.sorts...)
	sorts[g.rnd.Intn(len(sorts))]()
}

// arithmetic mostly keeps its flags and divisors such that nothing is poison.
func (g *generator) arithmetic() {
	w := g.any().bits
	x, y := g.of(w), g.of(w)
	op := g.pick("add", "sub", "mul", "and", "or", "xor", "shl", "lshr", "ashr", "udiv", "urem", "sdiv", "srem")
	flags := ""
	if g.chance(12) {
		flags = map[string]string{"add": " nuw", "sub": " nsw", "mul": " nuw nsw", "or": " disjoint", "shl": " nuw", "lshr": " exact", "ashr": " exact", "udiv": " exact"}[op]
	}
	if !g.chance(8) && w > 1 {
		switch op {
		case "shl", "lshr", "ashr":
			y = g.def(w, "urem i%d %s, %d", w, y, w)
		case "udiv", "urem", "sdiv", "srem":
			y = g.def(w, "or i%d %s, 1", w, y)
		}
	}
	if w > 32 && strings.Contains("mul udiv urem sdiv srem", op) {
		op = "add" // no solver's strength is asked for here
		flags = ""
	}
	g.def(w, "%s%s i%d %s, %s", op, flags, w, x, y)
}

func (g *generator) compare() { g.condition() }

func (g *generator) condition() string {
	w := g.any().bits
	p := g.pick("eq", "ne", "ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge")
	return g.def(1, "icmp %s i%d %s, %s", p, w, g.of(w), g.of(w))
}

func (g *generator) choose() {
	w := g.any().bits
	g.def(w, "select i1 %s, i%d %s, i%d %s", g.of(1), w, g.of(w), w, g.of(w))
}

func (g *generator) intrinsic() {
	w := []int{2, 3, 4, 8, 16, 32}[g.rnd.Intn(6)]
	x, y := g.of(w), g.of(w)
	switch op := g.pick("uadd.sat", "ssub.sat", "sadd.sat", "usub.sat", "umin", "smax", "smin", "umax", "ucmp", "scmp",
		"ctpop", "ctlz", "cttz", "abs", "fshl", "fshr", "uadd.with.overflow", "ssub.with.overflow", "smul.with.overflow", "umul.with.overflow"); op {
	case "ctpop":
		g.def(w, "call i%d @%s_i%d(i%d %s)", w, op, w, w, x)
	case "ctlz", "cttz", "abs":
		g.def(w, "call i%d @%s_i%d(i%d %s, i1 %v)", w, op, w, w, x, g.chance(10))
	case "fshl", "fshr":
		g.def(w, "call i%d @%s_i%d(i%d %s, i%d %s, i%d %s)", w, op, w, w, x, w, y, w, g.of(w))
	case "uadd.with.overflow", "ssub.with.overflow", "smul.with.overflow", "umul.with.overflow":
		p := g.name("%q")
		g.line("%s = call {i%d, i1} @%s_i%d(i%d %s, i%d %s)", p, w, op, w, w, x, w, y)
		g.def(w, "extractvalue {i%d, i1} %s, 0", w, p)
		g.def(1, "extractvalue {i%d, i1} %s, 1", w, p)
	default:
		g.def(w, "call i%d @%s_i%d(i%d %s, i%d %s)", w, op, w, w, x, w, y)
	}
}

// place returns a pointer to an element of an array.
func (g *generator) place(writable bool) (string, array) {
	a := g.arrays[g.rnd.Intn(len(g.arrays))]
	for writable && a.fixed {
		a = g.arrays[g.rnd.Intn(len(g.arrays))]
	}
	return g.element(a, g.someIndex(a.count)), a
}

func (g *generator) element(a array, index string) string {
	p := g.name("%p")
	g.line("%s = gep %sptr %s, i64 %s * %d", p, g.pick("", "inbounds ", "inbounds nuw "), a.name, index, a.elem/8)
	return p
}

func (g *generator) load() {
	p, a := g.place(false)
	w := a.elem
	if w > 8 && g.chance(20) {
		w /= 2 // a part of the element
	}
	g.def(w, "load i%d%s, ptr %s, align %d", w, g.pick("", " noundef"), p, w/8)
}

func (g *generator) store() {
	p, a := g.place(true)
	w := a.elem
	if w > 8 && g.chance(20) {
		w /= 2
	}
	g.line("store i%d %s, ptr %s, align %d", w, g.of(w), p, w/8)
}

func (g *generator) call() {
	if len(g.calls) == 0 {
		return
	}
	h := g.calls[g.rnd.Intn(len(g.calls))]
	var args []string
	for _, w := range h.params {
		args = append(args, fmt.Sprintf("i%d %s", w, g.of(w)))
	}
	g.def(h.ret, "call i%d %s(%s)", h.ret, h.name, strings.Join(args, ", "))
}

func (g *generator) aggregate() {
	w := g.any().bits
	a, b := g.name("%q"), g.name("%q")
	t := fmt.Sprintf("{i8, {i%d, i1}}", w)
	g.line("%s = insertvalue %s poison, i%d %s, 1, 0", a, t, w, g.of(w))
	g.line("%s = insertvalue %s %s, i8 %s, 0", b, t, a, g.of(8))
	c := g.name("%q")
	g.line("%s = select i1 %s, %s %s, %s %s", c, g.of(1), t, b, t, a)
	g.def(w, "extractvalue %s %s, 1, 0", t, c)
}

// vector puts integers into lanes, computes with them, and takes some out again.
func (g *generator) vector() {
	n, w := []int{2, 4}[g.rnd.Intn(2)], []int{8, 16, 32}[g.rnd.Intn(3)]
	t := fmt.Sprintf("<%d x i%d>", n, w)
	a, b := g.lanes(n, w), g.lanes(n, w)
	r := g.name("%x")
	switch g.rnd.Intn(4) {
	case 0:
		var mask []string
		for range n {
			mask = append(mask, fmt.Sprint(g.rnd.Intn(2*n)))
		}
		g.line("%s = shufflevector %s %s, %s %s, [%s]", r, t, a, t, b, strings.Join(mask, ", "))
	case 1:
		c := g.name("%x")
		g.line("%s = icmp %s %s %s, %s", c, g.pick("ult", "sge", "eq"), t, a, b)
		g.line("%s = select <%d x i1> %s, %s %s, %s %s", r, n, c, t, a, t, b)
	case 2:
		m := g.name("%a")
		g.line("%s = alloca %d, align 16", m, n*w/8)
		g.line("store %s %s, ptr %s, align 4", t, a, m)
		g.line("store i8 %s, ptr %s, align 1", g.of(8), g.element(array{name: m, elem: 8, count: n * w / 8}, g.index(n*w/8)))
		g.line("%s = load %s, ptr %s, align 4", r, t, m)
	default:
		g.line("%s = %s %s %s, %s", r, g.pick("add", "sub", "and", "or", "xor", "add nuw"), t, a, b)
	}
	g.def(w, "extractelement %s %s, i64 %s", t, r, g.index(n))
}

// transfer copies or fills a part of an array.
func (g *generator) transfer() {
	a := g.arrays[2+g.rnd.Intn(len(g.arrays)-2)]
	size := a.elem / 8 * a.count
	n := g.def(64, "urem i64 %s, %d", g.of(64), size+1)
	switch from := g.arrays[g.rnd.Intn(len(g.arrays))]; {
	case g.chance(40):
		g.line("call void @fill(ptr %s, i8 %s, i64 %s, i1 false)", a.name, g.of(8), n)
	case from.elem/8*from.count >= size && from.name != a.name || g.chance(10):
		g.line("call void @%s(ptr %s, ptr %s, i64 %s, i1 false)", g.pick("copy", "move"), a.name, from.name, n)
	default:
		half := g.name("%p")
		g.line("%s = gep inbounds ptr %s, %d", half, a.name, size/2)
		g.line("call void @move(ptr %s, ptr %s, i64 %d, i1 false)", half, a.name, size-size/2)
	}
}

// check asserts, or seldom assumes, a condition.
func (g *generator) check() {
	if g.chance(12) {
		g.line("call void @assume(i1 %s)", g.condition())
		return
	}
	g.line("call void @assert(i1 %s)", g.condition())
}

// panic goes to a panic entry under a condition.
func (g *generator) panic() {
	bad, good := g.name("b"), g.name("b")
	c := g.condition()
	d := g.def(1, "and i1 %s, %s", c, g.condition())
	g.line("br i1 %s, label %%%s, label %%%s", d, bad, good)
	g.label(bad)
	g.line("call void @over(ptr @l%d) noreturn", g.locs)
	g.line("unreachable")
	g.locs++
	g.label(good)
}

// pointer chooses between two arrays, or goes through memory and an integer.
func (g *generator) pointer() {
	p, a := g.place(false)
	q, b := g.place(false)
	r := g.name("%p")
	if g.chance(50) {
		n := g.name("%n") // not in scope: what an address is must not decide anything
		p = g.element(a, g.index(a.count))
		g.line("%s = ptrtoint ptr %s to i64", n, p)
		g.line("%s = inttoptr i64 %s to ptr", r, n)
	} else {
		g.line("%s = select i1 %s, ptr %s, ptr %s", r, g.of(1), p, q)
	}
	w := min(a.elem, b.elem)
	g.def(w, "load i%d, ptr %s, align %d", w, r, w/8)
	if a.name == b.name {
		g.def(1, "icmp %s ptr %s, %s", g.pick("eq", "ult", "ne"), p, q)
	}
}

// heap allocates, looks whether that worked, and mostly frees once.
func (g *generator) heap() {
	if g.bits < 1 || g.depth > 0 {
		return
	}
	g.bits--
	p, c := g.name("%p"), g.name("%c")
	some, none := g.name("b"), g.name("b")
	g.line("%s = call ptr @kmalloc(i64 4, i32 3264)", p)
	g.line("%s = icmp eq ptr %s, null", c, p)
	g.line("br i1 %s, label %%%s, label %%%s", c, none, some)
	g.label(some)
	vals, arrays := g.vals, g.arrays
	g.line("store i32 %s, ptr %s, align 4", g.of(32), p)
	g.arrays = append(g.arrays[:len(g.arrays):len(g.arrays)], array{p, 8, 4, false})
	g.statements(3)
	if g.chance(90) {
		g.line("call void @kfree(ptr %s)", p)
	}
	if g.chance(10) {
		g.line("call void @kfree(ptr %s)", p)
	}
	g.line("br label %%%s", none)
	g.vals, g.arrays = vals, arrays
	g.label(none)
}

// inner writes statements whose values nobody sees afterwards, and returns one of them.
func (g *generator) inner(n, bits int) (result, block string) {
	vals, arrays := g.vals, g.arrays
	g.depth++
	g.statements(n)
	result = g.of(bits)
	g.depth--
	g.vals, g.arrays = vals[:len(vals):len(vals)], arrays[:len(arrays):len(arrays)]
	return result, g.block
}

func (g *generator) branch() {
	yes, no, met := g.name("b"), g.name("b"), g.name("b")
	w := g.any().bits
	g.line("br i1 %s, label %%%s, label %%%s", g.condition(), yes, no)
	g.label(yes)
	v1, b1 := g.inner(1+g.rnd.Intn(3), w)
	g.line("br label %%%s", met)
	g.label(no)
	v2, b2 := g.inner(g.rnd.Intn(3), w)
	g.line("br label %%%s", met)
	g.label(met)
	g.def(w, "phi i%d [%s, %s], [%s, %s]", w, v1, b1, v2, b2)
}

// jump is a switch to two cases and a default, which is seldom unreachable.
func (g *generator) jump() {
	one, two, rest, met := g.name("b"), g.name("b"), g.name("b"), g.name("b")
	w := []int{2, 3, 8}[g.rnd.Intn(3)]
	g.line("switch i%d %s [0: %s, 1: %s, -1: %s], %s", w, g.of(w), one, two, one, rest)
	g.label(one)
	v1, b1 := g.inner(g.rnd.Intn(2), w)
	g.line("br label %%%s", met)
	g.label(two)
	v2, b2 := g.inner(1, w)
	g.line("br label %%%s", met)
	g.label(rest)
	v3, b3 := g.inner(0, w)
	if g.chance(6) {
		g.line("unreachable")
		g.label(met)
		g.def(w, "phi i%d [%s, %s], [%s, %s]", w, v1, b1, v2, b2)
		return
	}
	g.line("br label %%%s", met)
	g.label(met)
	g.def(w, "phi i%d [%s, %s], [%s, %s], [%s, %s]", w, v1, b1, v2, b2, v3, b3)
}

// loop counts to a small number, which is mostly an input, and carries a value along.
func (g *generator) loop() {
	head, body, done := g.name("b"), g.name("b"), g.name("b")
	w := g.any().bits
	limit := g.def(8, "and i8 %s, %d", g.of(8), g.rounds)
	first := g.of(w)
	i, acc, next, from := g.name("%i"), g.name("%v"), g.name("%i"), g.block
	g.line("br label %%%s", head)
	at := g.out.Len()
	g.label(head)
	vals := g.vals
	g.vals = append(g.vals[:len(g.vals):len(g.vals)], val{acc, w}, val{i, 8})
	more := g.name("%c")
	g.line("%s = icmp ult i8 %s, %s", more, i, limit)
	g.line("br i1 %s, label %%%s, label %%%s", more, body, done)
	g.label(body)
	v, back := g.inner(1+g.rnd.Intn(3), w)
	g.line("%s = add nuw i8 %s, 1", next, i)
	g.line("br label %%%s", head)
	phis := fmt.Sprintf("%s:\n  %s = phi i8 [0, %s], [%s, %s]\n  %s = phi i%d [%s, %s], [%s, %s]\n", head, i, from, next, back, acc, w, first, from, v, back)
	text := g.out.String()
	rest := strings.TrimPrefix(text[at:], head+":\n")
	g.out.Reset()
	g.out.WriteString(text[:at] + phis + rest)
	g.vals = append(vals[:len(vals):len(vals)], val{acc, w})
	g.label(done)
}
