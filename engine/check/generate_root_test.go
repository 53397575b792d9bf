package check_test

import (
	"fmt"
	"strings"
)

// layout is the shape of an input and how to look at it.
type layout struct {
	text        string
	size, align int
	visit       func(g *generator, p string) // writes code that looks at what p points to
}

// generateRoot returns the text of an automatic root with random shapes of
// inputs, whose code mostly looks at them as their types allow.
func generateRoot(seed int64) string {
	g := newSliceGenerator(seed)
	a, b := g.layout(3), g.layout(1)
	g.label("entry")
	g.vals = []val{{"%n", 64}, {"%k", 32}}
	g.arrays = []array{{"@t0", 8, 8, true}}
	a.visit(g, "%a")
	g.item(b, "%b", "%n")
	a.visit(g, "%a")
	g.line("ret void")
	params := fmt.Sprintf("ptr noundef nonnull align %d deref %d %%a, ptr noundef nonnull align %d %%b, i64 noundef %%n, i32 noundef %%k", a.align, a.size, b.align)
	inputs := fmt.Sprintf("inputs {\n  ref %s\n  sliceptr %s\n  slicelen\n  bits 4 align 4\n}\n", a.text, b.text)
	code := g.out.String()
	return generatedHead + g.externs(code) + "\nfunc @root (" + params + ") {\n" + code + "}\n\n" + inputs
}

// layout makes a random shape, of at most depth levels.
func (g *generator) layout(depth int) layout {
	kinds := []func(int) layout{g.bitsLayout, g.rangeLayout}
	if depth > 0 {
		kinds = append(kinds, g.structLayout, g.structLayout, g.enumLayout, g.optionLayout, g.arrayLayout, g.refLayout, g.sliceLayout, g.iteratorLayout)
	}
	return kinds[g.rnd.Intn(len(kinds))](depth)
}

func (g *generator) bitsLayout(int) layout {
	n := 1 << g.rnd.Intn(4)
	return layout{fmt.Sprintf("bits %d align %d", n, n), n, n, func(g *generator, p string) {
		g.look(g.def(8*n, "load i%d%s, ptr %s, align %d", 8*n, g.pick("", " noundef"), p, n), 8*n)
	}}
}

func (g *generator) rangeLayout(int) layout {
	n, lo := 1<<g.rnd.Intn(3), g.rnd.Intn(3)
	hi := lo + 1 + g.rnd.Intn(100)
	return layout{fmt.Sprintf("range %d align %d [%d..=%d]", n, n, lo, hi), n, n, func(g *generator, p string) {
		v := g.def(8*n, "load i%d noundef range %d..%d, ptr %s, align %d", 8*n, lo, hi+1, p, n)
		g.line("call void @assert(i1 %s)", g.def(1, "icmp ule i%d %s, %d", 8*n, v, hi-g.rnd.Intn(2)))
	}}
}

// look says something of a value that may or may not hold.
func (g *generator) look(v string, bits int) {
	if g.chance(60) {
		g.line("call void @assert(i1 %s)", g.def(1, "icmp %s i%d %s, %s", g.pick("ne", "ult", "sge"), bits, v, g.constant(bits)))
	}
}

func roundUp(n, align int) int { return (n + align - 1) / align * align }

func (g *generator) structLayout(depth int) layout {
	var fields []layout
	var offsets []int
	var text []string
	size, align := 0, 1
	for range 1 + g.rnd.Intn(3) {
		f := g.layout(depth - 1)
		size, align = roundUp(size, f.align), max(align, f.align)
		fields, offsets, text = append(fields, f), append(offsets, size), append(text, fmt.Sprintf("%d: %s", size, f.text))
		size += f.size
	}
	size = roundUp(size, align)
	return layout{fmt.Sprintf("struct %d align %d {%s}", size, align, strings.Join(text, ", ")), size, align, func(g *generator, p string) {
		for i, f := range fields {
			if g.chance(70) {
				f.visit(g, g.field(p, offsets[i]))
			}
		}
		if g.chance(10) { // whatever lies there, padding too
			g.def(16, "load i16%s, ptr %s, align 1", g.pick("", " noundef"), g.field(p, g.rnd.Intn(size+1)))
		}
	}}
}

func (g *generator) field(p string, off int) string {
	q := g.name("%p")
	g.line("%s = gep inbounds ptr %s, %d", q, p, off)
	return q
}

// enumLayout has a tag of four bytes and one field in each of two variants.
func (g *generator) enumLayout(depth int) layout {
	x, y := g.layout(depth-1), g.layout(0)
	align := max(4, x.align, y.align)
	at := roundUp(4, max(x.align, y.align))
	size := roundUp(at+max(x.size, y.size), align)
	text := fmt.Sprintf("enum %d align %d {0: bits 4 align 4} | [0..=0] {%d: %s} | [3..=7] {%d: %s} | [9..=9] {}", size, align, at, x.text, at, y.text)
	return layout{text, size, align, func(g *generator, p string) {
		tag := g.def(32, "load i32 noundef range 0..10, ptr %s, align 4", p)
		g.either("icmp eq i32 "+tag+", 0", func() { x.visit(g, g.field(p, at)) }, func() {
			g.line("call void @assert(i1 %s)", g.def(1, "icmp %s i32 %s, %d", g.pick("uge", "ugt"), tag, 3))
			g.either("icmp "+g.pick("ule", "ult", "ne")+" i32 "+tag+", "+g.pick("7", "8"), func() { y.visit(g, g.field(p, at)) }, func() {})
		})
	}}
}

// either writes two ways; what is set on them is not seen afterwards.
func (g *generator) either(cond string, yes, no func()) {
	c, a, b, met := g.def(1, "%s", cond), g.name("b"), g.name("b"), g.name("b")
	g.line("br i1 %s, label %%%s, label %%%s", c, a, b)
	for _, way := range []struct {
		label string
		write func()
	}{{a, yes}, {b, no}} {
		vals, arrays := g.vals, g.arrays
		g.label(way.label)
		way.write()
		g.line("br label %%%s", met)
		g.vals, g.arrays = vals[:len(vals):len(vals)], arrays[:len(arrays):len(arrays)]
	}
	g.label(met)
}

func (g *generator) optionLayout(depth int) layout {
	x := g.layout(depth - 1)
	text := fmt.Sprintf("enum 8 align 8 {0: bits 8 align 8} | [0..=0] {} | [] {0: ref %s}", x.text)
	return layout{text, 8, 8, func(g *generator, p string) {
		q := g.name("%p")
		g.line("%s = load ptr, ptr %s, align 8", q, p)
		if g.chance(10) {
			x.visit(g, q) // without asking
			return
		}
		g.either("icmp eq ptr "+q+", null", func() {}, func() { x.visit(g, q) })
	}}
}

func (g *generator) iteratorLayout(depth int) layout {
	x := g.layout(depth - 1)
	text := fmt.Sprintf("struct 16 align 8 {0: iter %s, 8: iterend}", x.text)
	return layout{text, 16, 8, func(g *generator, p string) {
		begin, end, last := g.name("%p"), g.name("%p"), g.name("%p")
		g.line("%s = load ptr noundef nonnull, ptr %s, align 8", begin, p)
		g.line("%s = load ptr noundef nonnull, ptr %s, align 8", end, g.field(p, 8))
		if g.chance(10) {
			x.visit(g, begin) // without asking
			return
		}
		g.either("icmp eq ptr "+begin+", "+end, func() {}, func() {
			x.visit(g, begin)
			g.line("%s = gep inbounds ptr %s, %d", last, end, -x.size)
			x.visit(g, last)
			g.line("call void @assert(i1 %s)", g.def(1, "icmp %s ptr %s, %s", g.pick("ule", "eq", "ult"), begin, last))
		})
	}}
}

func (g *generator) refLayout(depth int) layout {
	x := g.layout(depth - 1)
	return layout{"ref " + x.text, 8, 8, func(g *generator, p string) {
		q := g.name("%p")
		g.line("%s = load ptr noundef nonnull align %d, ptr %s, align 8", q, x.align, p)
		x.visit(g, q)
		if g.chance(20) {
			g.line("call void @assert(i1 %s)", g.def(1, "icmp ne ptr %s, %s", q, "%a"))
		}
	}}
}

func (g *generator) arrayLayout(depth int) layout {
	x := g.layout(depth - 1)
	n := 2 + g.rnd.Intn(3)
	return layout{fmt.Sprintf("array %d %s", n, x.text), n * x.size, x.align, func(g *generator, p string) {
		i := g.def(32, "urem i32 %s, %d", "%k", n)
		q := g.name("%p")
		g.line("%s = gep inbounds ptr %s, i64 %s * %d", q, p, g.def(64, "zext i32 %s to i64", i), x.size)
		x.visit(g, q)
	}}
}

func (g *generator) sliceLayout(depth int) layout {
	x := g.layout(min(depth-1, 1))
	return layout{fmt.Sprintf("struct 16 align 8 {0: sliceptr %s, 8: slicelen}", x.text), 16, 8, func(g *generator, p string) {
		q := g.name("%p")
		g.line("%s = load ptr noundef nonnull align %d, ptr %s, align 8", q, x.align, p)
		n := g.def(64, "load i64 noundef, ptr %s, align 8", g.field(p, 8))
		g.item(x, q, n)
	}}
}

// item looks at an element of a slice, mostly after a check of the index.
func (g *generator) item(x layout, p, n string) {
	i := g.def(64, "zext i32 %s to i64", "%k")
	look := func() {
		q := g.name("%p")
		g.line("%s = gep inbounds ptr %s, i64 %s * %d", q, p, i, x.size)
		x.visit(g, q)
	}
	if g.chance(10) {
		look()
		return
	}
	g.either("icmp "+g.pick("ult", "ult", "ult", "ule")+" i64 "+i+", "+n, look, func() {})
}
