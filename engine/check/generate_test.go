package check_test

import (
	"fmt"
	"math/rand"
	"strings"
)

// generator writes random slices: structured control flow over integers of odd
// widths, arrays, calls, undefined behaviour here and there, and so few bits of
// input that all inputs can be tried.
type generator struct {
	rnd    *rand.Rand
	out    strings.Builder
	n      int      // names given
	block  string   // label of the block that is written
	vals   []val    // integers in scope
	arrays []array  // in scope
	calls  []helper // may be called
	bits   int      // of input that may still be asked for
	depth  int      // of control structures
	locs   int      // panic locations used
	sorts  []func() // added to the sorts of statements
	rounds int      // of a loop, one less than a power of two
}

// val is a register or constant of an integer type.
type val struct {
	name string
	bits int
}

// array is a pointer to count elements of a width.
type array struct {
	name  string
	elem  int // bits: 8, 16, 32 or 64
	count int
	fixed bool
}

type helper struct {
	name   string
	params []int // bits
	ret    int   // bits
}

const generatedHead = `kvslice 1
arch x86_64
extern @assume "kvfarm_assume" (i1)
extern @assert "kvfarm_assert" (i1)
extern @copy "llvm.memcpy" (ptr, ptr, i64, i1)
extern @move "llvm.memmove" (ptr, ptr, i64, i1)
extern @fill "llvm.memset" (ptr, i8, i64, i1)
extern @kmalloc "kmalloc" (i64, i32) -> ptr
extern @kfree "kfree" (ptr)
extern @over "core::panicking::panic_const_add_overflow" panic add_overflow (ptr) noreturn
global @t0 const align 1 = "\03\00\07\ff\01\80\02\05"
global @t1 const align 4 = i32 1, i32 2, i32 30, i32 4
`

func newSliceGenerator(seed int64) *generator {
	return &generator{rnd: rand.New(rand.NewSource(seed)), bits: 9, rounds: 3}
}

// generateLoops returns the text of a slice whose loops go on longer than the
// executor is told to follow them.
func generateLoops(seed int64) string {
	g := newSliceGenerator(seed)
	g.rounds = 15
	return g.slice()
}

// generate returns the text of the slice of a seed.
func generate(seed int64) string { return newSliceGenerator(seed).slice() }

func (g *generator) slice() string {
	var root, rest strings.Builder
	for range g.rnd.Intn(3) {
		rest.WriteString(g.helper())
	}
	root.WriteString("\nfunc @check () {\n" + g.body(nil, 0, 14) + "}\n")
	text := generatedHead
	for i := range g.locs {
		text += fmt.Sprintf("global @l%d loc %d\n", i, i)
	}
	return text + g.externs(root.String()+rest.String()) + root.String() + rest.String()
}

// externs declares what is called but not in the head: intrinsics and inputs, by their types.
func (g *generator) externs(code string) string {
	var out strings.Builder
	seen := map[string]bool{}
	for _, f := range strings.Fields(code) {
		name, _, _ := strings.Cut(f, "(")
		kind, width, ok := strings.Cut(strings.TrimPrefix(name, "@"), "_i")
		if !ok || !strings.HasPrefix(name, "@") || seen[name] {
			continue
		}
		seen[name] = true
		t := "i" + width
		switch {
		case kind == "any":
			fmt.Fprintf(&out, "extern %s \"kvfarm_any_u8\" () -> %s noundef\n", name, t)
		case strings.HasSuffix(kind, "overflow"):
			fmt.Fprintf(&out, "extern %s \"llvm.%s\" (%s, %s) -> {%s, i1}\n", name, kind, t, t, t)
		case kind == "ctpop":
			fmt.Fprintf(&out, "extern %s \"llvm.%s\" (%s) -> %s\n", name, kind, t, t)
		case kind == "ctlz" || kind == "cttz" || kind == "abs":
			fmt.Fprintf(&out, "extern %s \"llvm.%s\" (%s, i1) -> %s\n", name, kind, t, t)
		case kind == "fshl" || kind == "fshr":
			fmt.Fprintf(&out, "extern %s \"llvm.%s\" (%s, %s, %s) -> %s\n", name, kind, t, t, t, t)
		default:
			fmt.Fprintf(&out, "extern %s \"llvm.%s\" (%s, %s) -> %s\n", name, kind, t, t, t)
		}
	}
	return out.String()
}

// helper writes a function that is called from those written after it.
func (g *generator) helper() string {
	h := helper{name: fmt.Sprintf("@h%d", len(g.calls)), ret: g.width()}
	var params []string
	var vals []val
	for i := range 1 + g.rnd.Intn(2) {
		v := val{fmt.Sprintf("%%p%d", i), g.width()}
		h.params = append(h.params, v.bits)
		vals = append(vals, v)
		params = append(params, fmt.Sprintf("i%d %s", v.bits, v.name))
	}
	body := g.body(vals, h.ret, 5)
	g.calls = append(g.calls, h)
	return fmt.Sprintf("\nfunc %s (%s) -> i%d {\n%s}\n", h.name, strings.Join(params, ", "), h.ret, body)
}

// body writes a function's blocks, with ret the width of the result, 0 for none.
func (g *generator) body(params []val, ret, statements int) string {
	g.out.Reset()
	g.vals, g.arrays, g.depth = append([]val(nil), params...), []array{{"@t0", 8, 8, true}, {"@t1", 32, 4, true}}, 0
	g.label(g.name("b"))
	if ret == 0 {
		g.input()
	}
	g.array()
	g.statements(statements)
	if ret == 0 {
		g.line("ret void")
	} else {
		g.line("ret i%d %s", ret, g.of(ret))
	}
	return g.out.String()
}

func (g *generator) line(format string, args ...any) {
	fmt.Fprintf(&g.out, "  "+format+"\n", args...)
}

func (g *generator) label(l string) {
	g.block = l
	fmt.Fprintf(&g.out, "%s:\n", l)
}

func (g *generator) name(prefix string) string {
	g.n++
	return fmt.Sprintf("%s%d", prefix, g.n)
}

// def writes an instruction with a result of a width and puts it in scope.
func (g *generator) def(bits int, format string, args ...any) string {
	v := val{g.name("%v"), bits}
	g.line("%s = %s", v.name, fmt.Sprintf(format, args...))
	g.vals = append(g.vals, v)
	return v.name
}

func (g *generator) chance(percent int) bool { return g.rnd.Intn(100) < percent }

func (g *generator) pick(words ...string) string { return words[g.rnd.Intn(len(words))] }

var widths = []int{1, 2, 3, 4, 5, 8, 8, 8, 8, 16, 24, 32, 64, 128}

func (g *generator) width() int { return widths[g.rnd.Intn(len(widths))] }

// any returns some integer in scope, of late ones more often.
func (g *generator) any() val {
	if len(g.vals) == 0 || g.chance(5) {
		w := g.width()
		return val{g.constant(w), w}
	}
	n := len(g.vals)
	i := n - 1 - g.rnd.Intn(n)*g.rnd.Intn(n)/n
	return g.vals[i]
}

func (g *generator) constant(bits int) string {
	switch g.rnd.Intn(4) {
	case 0:
		return "0"
	case 1:
		return "-1"
	case 2:
		return "1"
	}
	return fmt.Sprint(g.rnd.Int63n(1 << min(bits, 7)))
}

// of returns an operand of a width: one that is there, a cast, a constant.
func (g *generator) of(bits int) string {
	if g.chance(20) {
		return g.constant(bits)
	}
	for range 4 {
		if v := g.any(); v.bits == bits {
			return v.name
		}
	}
	v := g.any()
	switch {
	case v.bits == bits:
		return v.name
	case v.bits > bits:
		return g.def(bits, "trunc i%d %s to i%d", v.bits, v.name, bits)
	}
	return g.def(bits, "%s i%d %s to i%d", g.pick("zext", "sext"), v.bits, v.name, bits)
}

// index returns an operand of 64 bits that lies below n.
func (g *generator) index(n int) string { return g.def(64, "urem i64 %s, %d", g.of(64), n) }

// someIndex returns one that mostly does.
func (g *generator) someIndex(n int) string {
	if g.chance(8) {
		return g.of(64)
	}
	return g.index(n)
}

func (g *generator) input() {
	w := 1 + g.rnd.Intn(4)
	if g.bits < w || g.depth > 1 {
		return
	}
	if g.bits -= w; g.depth == 1 {
		g.bits -= w // may be asked for in a loop
	}
	g.def(w, "call i%d noundef @any_i%d()", w, w)
}

// array makes an object on the stack or the heap, mostly with content.
func (g *generator) array() {
	a := array{name: g.name("%a"), elem: []int{8, 8, 16, 32, 64}[g.rnd.Intn(5)], count: 1 + g.rnd.Intn(5)}
	size := a.elem / 8 * a.count
	g.line("%s = alloca %d, align %d", a.name, size, a.elem/8)
	if g.chance(95) {
		g.line("call void @fill(ptr %s, i8 %s, i64 %d, i1 false)", a.name, g.of(8), size)
	}
	g.arrays = append(g.arrays, a)
}

func (g *generator) statements(n int) {
	for range n {
		g.statement()
	}
}
