package check_test

import (
	"fmt"
	"math/rand"
	"strings"
)

// graphNodes are the records that a caller lays out: a number, and at 8 the address of another.
const graphNodes = 4

// graph writes roots that get two pointers to records which lead to records, and a caller
// that has them overlap in the ways that Rust allows.
type graph struct {
	rnd     *rand.Rand
	out     strings.Builder
	n       int
	holders []string // pointers to records whose address is looked at
	leaves  []string // pointers to records of which only the number is
	vals    []string // of 8 bits

	first, second, inner string          // shapes of pointers to records: those that come in, and the one within
	at                   [2]int          // which record the root gets
	to                   [graphNodes]int // which one each leads to
}

// The ways to point to a record: of what comes in, and of what a record holds.
var (
	graphParams = []string{"rawptr mut %s", "rawptr mut %s", "ref %s", "ref mut %s"}
	graphInner  = []string{"rawptr mut %s", "rawptr mut %s", "ref %s", "ref mut %s"}
)

const graphLeaf = "struct 16 align 8 {0: bits 1 align 1, 8: bits 8 align 8}"

// generateGraph returns the text of a root, and of the same with a caller.
func generateGraph(seed int64) (root, closed string) {
	g := &graph{rnd: rand.New(rand.NewSource(seed)), holders: []string{"%a", "%b"}, leaves: []string{"%a", "%b"}, vals: []string{"1", "%k"}}
	for g.draw(); !g.legal(); {
		g.draw()
	}
	for range 5 + g.rnd.Intn(7) {
		g.statement()
	}
	g.check()
	node := fmt.Sprintf("struct 16 align 8 {0: bits 1 align 1, 8: %s}", fmt.Sprintf(g.inner, graphLeaf))
	inputs := fmt.Sprintf("inputs {\n  %s\n  %s\n  bits 1 align 1\n}\n", fmt.Sprintf(g.first, node), fmt.Sprintf(g.second, node))
	const head = "kvslice 1\narch x86_64\nextern @assert \"kvfarm_assert\" (i1)\nextern @copy \"llvm.memmove\" (ptr, ptr, i64, i1)\n"
	body := fmt.Sprintf("func @root (%s %%a, %s %%b, i8 noundef %%k) {\n%s  ret void\n}\n", graphParam(g.first), graphParam(g.second), g.out.String())
	return head + body + inputs, head + "extern @any_i2 \"kvfarm_any_u8\" () -> i2 noundef\n" + g.caller() + body
}

// draw chooses who leads where, and how.
func (g *graph) draw() {
	pick := func(from []string) string { return from[g.rnd.Intn(len(from))] }
	g.first, g.second, g.inner = pick(graphParams), pick(graphParams), pick(graphInner)
	for i := range g.at {
		g.at[i] = g.rnd.Intn(graphNodes)
	}
	for i := range g.to {
		g.to[i] = g.rnd.Intn(graphNodes)
	}
}

// legal reports whether Rust allows a caller to have the pointers lead where they do: to what an exclusive parameter leads
// to nobody else does; to what an exclusive reference in a record leads to, nobody but raw pointers.
func (g *graph) legal() bool {
	params := [2]string{g.first, g.second}
	for i, p := range params {
		if !exclusive(p) {
			continue
		}
		if g.at[1-i] == g.at[i] || g.to[g.at[0]] == g.at[i] || g.to[g.at[1]] == g.at[i] {
			return false
		}
	}
	if !exclusive(g.inner) {
		return true
	}
	x, y := g.to[g.at[0]], g.to[g.at[1]]
	for i, p := range params {
		if strings.HasPrefix(p, "ref %") || strings.HasPrefix(p, "ref mut") && (g.at[i] == x || g.at[i] == y) {
			return false
		}
	}
	return g.at[0] == g.at[1] || x != y // else two records hold one exclusive reference
}

func exclusive(shape string) bool { return strings.HasPrefix(shape, "ref mut") }

// graphParam is how rustc declares a parameter that points so to a record with cells in it.
func graphParam(shape string) string {
	switch {
	case exclusive(shape):
		return "ptr noundef nonnull noalias align 8 deref 16"
	case strings.HasPrefix(shape, "ref"):
		return "ptr noundef nonnull align 8 deref 16"
	}
	return "ptr noundef"
}

// caller lays the records out and calls the root with any number in two of them.
func (g *graph) caller() string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, "  "+format+"\n", args...) }
	line("%%k = call i2 noundef @any_i2()")
	line("%%k8 = zext i2 %%k to i8")
	for i := range graphNodes {
		line("%%n%d = alloca 16, align 8", i)
	}
	for i, t := range g.to {
		line("%%x%d = call i2 noundef @any_i2()", i)
		line("%%y%d = zext i2 %%x%d to i8", i, i)
		line("store i64 0, ptr %%n%d, align 8", i)
		line("store i8 %%y%d, ptr %%n%d, align 1", i, i)
		line("%%p%d = gep inbounds nuw ptr %%n%d, 8", i, i)
		line("store ptr %%n%d, ptr %%p%d, align 8", t, i)
	}
	line("call void @root(ptr %%n%d, ptr %%n%d, i8 %%k8)", g.at[0], g.at[1])
	line("ret void")
	return "func @check () {\n" + out.String() + "}\n"
}

func (g *graph) pick(from []string) string { return from[g.rnd.Intn(len(from))] }

func (g *graph) def(format string, args ...any) string {
	g.n++
	name := fmt.Sprintf("%%v%d", g.n)
	fmt.Fprintf(&g.out, "  %s = %s\n", name, fmt.Sprintf(format, args...))
	return name
}

func (g *graph) line(format string, args ...any) { fmt.Fprintf(&g.out, "  "+format+"\n", args...) }

// link is where a record holds the address of another.
func (g *graph) link() string { return g.def("gep inbounds nuw ptr %s, 8", g.pick(g.holders)) }

func (g *graph) statement() {
	sorts := []func(){
		g.load, g.load, g.load, g.store, g.store, g.store, g.follow, g.follow, g.follow,
		func() { g.line("store ptr %s, ptr %s, align 8", g.pick(g.leaves), g.link()) },
		func() { g.vals = append(g.vals, g.def("add i8 %s, %s", g.pick(g.vals), g.pick(g.vals))) },
		func() { g.line("call void @copy(ptr %s, ptr %s, i64 8, i1 false)", g.link(), g.link()) },
		func() {
			g.line("call void @copy(ptr %s, ptr %s, i64 16, i1 false)", g.pick(g.holders), g.pick(g.holders))
		},
		func() { g.vals = append(g.vals, g.truth("icmp eq ptr %s, %s", g.pick(g.leaves), g.pick(g.leaves))) },
		func() { g.leaves = append(g.leaves, g.chosen(g.leaves)) },
		func() { g.holders = append(g.holders, g.chosen(g.holders)) },
		g.local, g.swap,
	}
	sorts[g.rnd.Intn(len(sorts))]()
}

func (g *graph) truth(format string, args ...any) string {
	return g.def("zext i1 %s to i8", g.def(format, args...))
}

// chosen is one of two pointers.
func (g *graph) chosen(from []string) string {
	c := g.def("icmp ult i8 %s, %d", g.pick(g.vals), 1+g.rnd.Intn(3))
	return g.def("select i1 %s, ptr %s, ptr %s", c, g.pick(from), g.pick(from))
}

func (g *graph) load() {
	g.vals = append(g.vals, g.def("load i8 noundef, ptr %s, align 1", g.pick(g.leaves)))
}

func (g *graph) store() { g.line("store i8 %s, ptr %s, align 1", g.pick(g.vals), g.pick(g.leaves)) }

// follow is the address that a record holds.
func (g *graph) follow() {
	g.leaves = append(g.leaves, g.def("load ptr noundef, ptr %s, align 8", g.link()))
}

// local is a record of the root's own, which leads to another.
func (g *graph) local() {
	l := g.def("alloca 16, align 8")
	g.line("store i64 0, ptr %s, align 8", l)
	g.line("store i8 %s, ptr %s, align 1", g.pick(g.vals), l)
	g.line("store ptr %s, ptr %s, align 8", g.pick(g.leaves), g.def("gep inbounds nuw ptr %s, 8", l))
	g.holders, g.leaves = append(g.holders, l), append(g.leaves, l)
}

// swap exchanges a number and adds to one, as atomics do.
func (g *graph) swap() {
	g.vals = append(g.vals, g.def("atomicrmw %s ptr %s, i8 %s monotonic, align 1", g.pick([]string{"xchg", "add", "umax"}), g.pick(g.leaves), g.pick(g.vals)))
}

// check says something of two numbers.
func (g *graph) check() {
	last := g.vals[len(g.vals)-1]
	g.line("call void @assert(i1 %s)", g.def("icmp %s i8 %s, %s", g.pick([]string{"eq", "ne", "ult"}), last, g.pick(g.vals)))
	p, v := g.pick(g.leaves), g.pick(g.vals)
	g.line("store i8 %s, ptr %s, align 1", v, p)
	if g.rnd.Intn(3) > 0 {
		g.line("store i8 %s, ptr %s, align 1", g.pick(g.vals), g.pick(g.leaves))
	}
	g.line("call void @assert(i1 %s)", g.def("icmp eq i8 %s, %s", g.def("load i8, ptr %s, align 1", p), v))
}
