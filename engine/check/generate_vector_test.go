package check_test

import (
	"fmt"
	"strings"
)

// vectorHead declares the intrinsics that the slices with vectors call.
const vectorHead = `extern @sum "llvm.vector.reduce.add" (<4 x i8>) -> i8
extern @product "llvm.vector.reduce.mul" (<4 x i8>) -> i8
extern @all "llvm.vector.reduce.and" (<4 x i8>) -> i8
extern @some "llvm.vector.reduce.or" (<4 x i8>) -> i8
extern @odd "llvm.vector.reduce.xor" (<4 x i8>) -> i8
extern @most "llvm.vector.reduce.umax" (<4 x i8>) -> i8
extern @least "llvm.vector.reduce.smin" (<4 x i8>) -> i8
extern @lower "llvm.umin" (<4 x i8>, <4 x i8>) -> <4 x i8>
extern @capped "llvm.sadd.sat" (<4 x i8>, <4 x i8>) -> <4 x i8>
extern @ones "llvm.ctpop" (<4 x i8>) -> <4 x i8>
`

// generateVectors returns the text of a slice that mostly works on vectors.
func generateVectors(seed int64) string {
	g := newSliceGenerator(seed)
	g.sorts = []func(){g.reduced, g.reduced, g.recast, g.recast, g.lane, g.lane, g.truths, g.widened, g.laneCalls, g.addresses, g.shuffled}
	g.sorts = append(g.sorts, g.sorts...)
	return strings.Replace(g.slice(), "\nfunc @check", vectorHead+"\nfunc @check", 1)
}

// lanes makes a vector of n lanes, some of which may be poison.
func (g *generator) lanes(n, bits int) string {
	t := fmt.Sprintf("<%d x i%d>", n, bits)
	v := g.pick("poison", "zero", "zero")
	for i := range n {
		if v == "poison" && !g.chance(3) || g.chance(60) {
			next := g.name("%x")
			g.line("%s = insertelement %s %s, i%d %s, i64 %d", next, t, v, bits, g.of(bits), i)
			v = next
		}
	}
	return v
}

// reduced makes one number of all lanes.
func (g *generator) reduced() {
	f := g.pick("sum", "product", "all", "some", "odd", "most", "least")
	g.def(8, "call i8 @%s(<4 x i8> %s)", f, g.lanes(4, 8))
}

// recast takes the bits of one type for those of another.
func (g *generator) recast() {
	forms := []string{"i32", "<4 x i8>", "<2 x i16>", "<8 x i4>", "<32 x i1>", "<1 x i32>"}
	from, r := g.name("%x"), ""
	g.line("%s = bitcast <4 x i8> %s to %s", from, g.lanes(4, 8), "i32")
	t := "i32"
	for range 1 + g.rnd.Intn(3) {
		to := forms[g.rnd.Intn(len(forms))]
		if to == t {
			continue
		}
		r = g.name("%x")
		g.line("%s = bitcast %s %s to %s", r, t, from, to)
		from, t = r, to
	}
	if t == "i32" {
		g.def(32, "add i32 %s, 0", from)
		return
	}
	var n, w int
	fmt.Sscanf(t, "<%d x i%d>", &n, &w)
	g.def(w, "extractelement %s %s, i64 %s", t, from, g.index(n))
}

// lane puts a number into a lane that an input says, and takes one out.
func (g *generator) lane() {
	v, r := g.lanes(4, 8), g.name("%x")
	w := []int{3, 8, 64}[g.rnd.Intn(3)]
	at := func() string {
		if g.chance(10) {
			return g.of(w)
		}
		return g.def(w, "urem i%d %s, %s", w, g.of(w), g.pick("4", "4", "2"))
	}
	if w == 3 {
		at = func() string { return g.def(3, "and i3 %s, 3", g.of(3)) }
	}
	g.line("%s = insertelement <4 x i8> %s, i8 %s, i%d %s", r, v, g.of(8), w, at())
	g.def(8, "extractelement <4 x i8> %s, i%d %s", r, w, at())
}

// truths takes a vector of bits for a number.
func (g *generator) truths() {
	c, r := g.name("%x"), g.name("%x")
	g.line("%s = icmp %s <4 x i8> %s, %s", c, g.pick("ult", "sge", "eq"), g.lanes(4, 8), g.lanes(4, 8))
	g.def(4, "bitcast <4 x i1> %s to i4", c)
	g.line("%s = bitcast i4 %s to <2 x i2>", r, g.of(4))
	g.def(2, "extractelement <2 x i2> %s, i64 %s", r, g.index(2))
}

// widened makes lanes longer or shorter, and chooses between them.
func (g *generator) widened() {
	a, b, c, r := g.name("%x"), g.name("%x"), g.name("%x"), g.name("%x")
	cast := g.pick("zext", "sext", "zext nneg")
	g.line("%s = %s <4 x i8> %s to <4 x i16>", a, cast, g.lanes(4, 8))
	g.line("%s = %s <4 x i16> %s, %s", b, g.pick("add", "sub nsw", "xor", "mul", "lshr", "shl"), a, g.lanes(4, 16))
	g.line("%s = icmp %s <4 x i16> %s, %s", c, g.pick("ugt", "slt", "ne"), a, b)
	g.line("%s = select <4 x i1> %s, <4 x i16> %s, <4 x i16> %s", r, c, a, b)
	if g.chance(30) {
		f := g.name("%x")
		g.line("%s = freeze <4 x i16> %s", f, r)
		e := g.name("%n") // not in scope: what freeze chose decides nothing
		g.line("%s = extractelement <4 x i16> %s, i64 1", e, f)
		g.def(1, "icmp ule i16 %s, %s", e, e)
		return
	}
	g.def(16, "extractelement <4 x i16> %s, i64 %s", r, g.index(4))
}

// laneCalls calls intrinsics that work lane by lane.
func (g *generator) laneCalls() {
	r := g.name("%x")
	if g.chance(60) {
		g.line("%s = call <4 x i8> @%s(<4 x i8> %s, <4 x i8> %s)", r, g.pick("lower", "capped"), g.lanes(4, 8), g.lanes(4, 8))
	} else {
		g.line("%s = call <4 x i8> @ones(<4 x i8> %s)", r, g.lanes(4, 8))
	}
	g.def(8, "extractelement <4 x i8> %s, i64 %s", r, g.index(4))
}

// addresses keeps two pointers in a vector, and in memory, and goes through one of them.
func (g *generator) addresses() {
	a, b, m := g.writable8(), g.writable8(), g.name("%a")
	v, w, r, p := g.name("%x"), g.name("%x"), g.name("%x"), g.name("%p")
	g.line("%s = insertelement <2 x ptr> %s, ptr %s, i64 0", v, g.pick("poison", "zero"), a.name)
	if g.chance(10) {
		b.name = "null"
	}
	g.line("%s = insertelement <2 x ptr> %s, ptr %s, i64 1", w, v, b.name)
	g.line("%s = alloca 16, align 8", m)
	g.line("store <2 x ptr> %s, ptr %s, align 8", w, m)
	g.line("%s = load <2 x ptr>, ptr %s, align 8", r, m)
	g.line("%s = extractelement <2 x ptr> %s, i64 %s", p, r, g.index(2))
	g.line("store i8 %s, ptr %s, align 1", g.of(8), p)
	if b.name == "null" {
		g.arrays = g.arrays[:len(g.arrays)-1]
	}
	g.def(8, "load i8, ptr %s, align 1", a.name)
}

// shuffled takes lanes of two vectors, some of which are poison.
func (g *generator) shuffled() {
	r := g.name("%x")
	n := []int{2, 4, 8}[g.rnd.Intn(3)]
	mask := make([]string, n)
	for i := range mask {
		mask[i] = fmt.Sprint(g.rnd.Intn(8))
		if g.chance(6) {
			mask[i] = "-1"
		}
	}
	g.line("%s = shufflevector <4 x i8> %s, <4 x i8> %s, [%s]", r, g.lanes(4, 8), g.lanes(4, 8), strings.Join(mask, ", "))
	g.def(8, "extractelement <%d x i8> %s, i64 %s", n, r, g.index(n))
}
