package check_test

import "fmt"

// roundsHead declares what slices with long loops need.
const roundsHead = `kvslice 1
arch x86_64
extern @assert "kvfarm_assert" (i1)
extern @copy "llvm.memcpy" (ptr, ptr, i64, i1)
extern @move "llvm.memmove" (ptr, ptr, i64, i1)
extern @any "kvfarm_any_u8" () -> i1 noundef
extern @any4 "kvfarm_any_u8" () -> i4 noundef
global @g align 8 = zero 16
`

// rounds writes slices with loops over objects that are an address and a
// number, in which some things happen in late rounds only.
type rounds struct {
	outside
	index string // of the round
}

// generateRounds returns the text of a slice with loops that go on longer than
// they are followed, over pointers in memory.
func generateRounds(seed int64) string {
	g := &rounds{outside: outside{generator: newSliceGenerator(seed), objects: []string{"@g"}, holds: map[string]string{}}}
	g.bits = 0 // of what outside asks for
	g.label("entry")
	for range 2 + g.rnd.Intn(2) {
		o := g.name("%o")
		g.line("%s = alloca 16, align 8", o)
		g.objects = append(g.objects, o)
	}
	for _, o := range g.objects {
		if g.chance(95) {
			g.link(o, g.object())
		}
		if g.chance(97) {
			g.number(o)
		}
	}
	for range 1 + g.rnd.Intn(2) {
		g.loop()
		g.check()
		if g.chance(40) {
			g.alike()
		}
	}
	g.line("ret void")
	return roundsHead + "\nfunc @check () {\n" + g.out.String() + "}\n"
}

// loop counts to an input and carries on a number and a pointer.
func (g *rounds) loop() {
	head, body, next, done := g.name("b"), g.name("b"), g.name("b"), g.name("b")
	n, limit := g.name("%n"), g.name("%n")
	g.line("%s = call i4 noundef @any4()", n)
	g.line("%s = zext i4 %s to i64", limit, n)
	i, s, p := g.name("%i"), g.name("%s"), g.name("%p")
	i1, s1, p1 := g.name("%i"), g.name("%s"), g.name("%p")
	from, first := g.block, g.object()
	if g.chance(12) {
		first = g.pick("poison", "null")
	}
	again, i2 := "", g.name("%i")
	back := func(string) string { return "" }
	if g.chance(30) {
		again = g.name("b")
		back = func(v string) string { return fmt.Sprintf(", [%s, %s]", v, again) }
	}
	g.line("br label %%%s", head)
	g.label(head)
	g.line("%s = phi i64 [0, %s], [%s, %s]%s", i, from, i1, next, back(i2))
	g.line("%s = phi i64 [%d, %s], [%s, %s]%s", s, g.rnd.Intn(3), from, s1, next, back(g.pick(s, i)))
	g.line("%s = phi ptr [%s, %s], [%s, %s]%s", p, first, from, p1, next, back(p))
	more := g.name("%c")
	g.line("%s = icmp ult i64 %s, %s", more, i, limit)
	g.line("br i1 %s, label %%%s, label %%%s", more, body, done)
	g.label(body)
	g.index = i
	for range 2 + g.rnd.Intn(3) {
		g.statement(p)
	}
	if g.chance(25) {
		stop, on := g.name("%c"), g.name("b")
		g.line("%s = icmp eq i64 %s, %d", stop, s, 5+g.rnd.Intn(9))
		g.line("br i1 %s, label %%%s, label %%%s", stop, done, on)
		g.label(on)
	}
	if again == "" {
		g.line("br label %%%s", next)
	} else {
		g.line("br i1 %s, label %%%s, label %%%s", g.when(), again, next)
		g.label(again)
		g.line("%s = add nuw i64 %s, 1", i2, i)
		g.line("br label %%%s", head)
	}
	g.label(next)
	g.line("%s = add i64 %s, %s", s1, s, g.pick("1", "1", "2", i))
	g.line("%s = select i1 %s, ptr %s, ptr %s", p1, g.when(), g.pick(p, g.object()), g.object())
	g.line("%s = add nuw i64 %s, 1", i1, i)
	g.line("br label %%%s", head)
	g.label(done)
	if g.chance(50) {
		g.sums(s, limit)
	}
	if g.chance(30) {
		g.tally(limit)
	}
	if first != "poison" && first != "null" && g.chance(50) {
		g.line("store i64 %d, ptr %s, align 8", 1+g.rnd.Intn(80), g.numberOf(p))
	}
}

// sums says something of how far a number got.
func (g *rounds) sums(s, limit string) {
	c := g.name("%c")
	g.line("%s = icmp %s i64 %s, %s", c, g.pick("ule", "ule", "ne", "ult"), s, g.pick(limit, fmt.Sprint(5+g.rnd.Intn(20))))
	g.line("call void @assert(i1 %s)", c)
}

// when is a condition on the round: that it is late, odd, a certain one.
func (g *rounds) when() string {
	c := g.name("%c")
	switch g.rnd.Intn(4) {
	case 0:
		g.line("%s = trunc i64 %s to i1", c, g.index)
	case 1:
		g.line("%s = icmp eq i64 %s, %d", c, g.index, 3+g.rnd.Intn(11))
	default:
		g.line("%s = icmp ugt i64 %s, %d", c, g.index, 3+g.rnd.Intn(10))
	}
	return c
}

// statement does something, mostly in some rounds only. p is the pointer that
// the loop carries along.
func (g *rounds) statement(p string) {
	met := ""
	if g.chance(70) {
		yes := g.name("b")
		met = g.name("b")
		g.line("br i1 %s, label %%%s, label %%%s", g.when(), yes, met)
		g.label(yes)
	}
	sorts := []func(){
		g.store, g.links, g.links, g.chase, g.copies, g.check,
		func() { g.line("store i64 %s, ptr %s, align 8", g.index, g.numberOf(g.object())) },
		func() { g.line("store ptr %s, ptr %s, align 8", p, g.object()) },
		func() { g.line("store i64 %d, ptr %s, align 8", 1+g.rnd.Intn(80), g.numberOf(p)) },
		func() { g.link(p, g.object()) }, g.fresh, g.count,
	}
	if g.depth == 0 {
		sorts = append(sorts, func() { g.inner(p) })
	}
	sorts[g.rnd.Intn(len(sorts))]()
	if met != "" {
		g.line("br label %%%s", met)
		g.label(met)
	}
}

// inner is a loop within a round, of as many rounds as the one that it is in has had, or of a few or many.
func (g *rounds) inner(p string) {
	head, body, next, done := g.name("b"), g.name("b"), g.name("b"), g.name("b")
	j, j1, outer, from := g.name("%j"), g.name("%j"), g.index, g.block
	limit := g.pick(outer, "2", "9")
	g.line("br label %%%s", head)
	g.label(head)
	g.line("%s = phi i64 [0, %s], [%s, %s]", j, from, j1, next)
	more := g.name("%c")
	g.line("%s = icmp ult i64 %s, %s", more, j, limit)
	g.line("br i1 %s, label %%%s, label %%%s", more, body, done)
	g.label(body)
	g.index = g.pick(j, outer)
	g.depth++
	for range 1 + g.rnd.Intn(2) {
		g.statement(p)
	}
	g.depth--
	g.index = outer
	if g.chance(30) {
		g.line("br i1 %s, label %%%s, label %%%s", g.when(), done, next)
	} else {
		g.line("br label %%%s", next)
	}
	g.label(next)
	g.line("%s = add nuw i64 %s, 1", j1, j)
	g.line("br label %%%s", head)
	g.label(done)
}

// fresh makes an object in a round, to which a pointer may lead in later ones.
func (g *rounds) fresh() {
	o := g.name("%o")
	g.line("%s = alloca 16, align 8", o)
	g.link(o, g.object())
	g.line("store i64 %d, ptr %s, align 8", 1+g.rnd.Intn(80), g.numberOf(o))
	g.link(g.object(), o)
}

// count adds to the number of an object.
func (g *rounds) count() {
	p, v, w := g.numberOf(g.object()), g.name("%v"), g.name("%v")
	g.line("%s = load i64, ptr %s, align 8", v, p)
	g.line("%s = add i64 %s, %d", w, v, 1+g.rnd.Intn(2))
	g.line("store i64 %s, ptr %s, align 8", w, p)
}

// tally says something of how large the number of an object got.
func (g *rounds) tally(limit string) {
	v, c := g.name("%v"), g.name("%c")
	g.line("%s = load i64, ptr %s, align 8", v, g.numberOf(g.object()))
	g.line("%s = icmp %s i64 %s, %s", c, g.pick("ule", "ule", "ne", "ult"), v, g.pick(limit, fmt.Sprint(20+g.rnd.Intn(100))))
	g.line("call void @assert(i1 %s)", c)
}

// alike asserts that an object holds a certain address.
func (g *rounds) alike() {
	q, c := g.name("%q"), g.name("%c")
	g.line("%s = load ptr, ptr %s, align 8", q, g.object())
	g.line("%s = icmp %s ptr %s, %s", c, g.pick("eq", "ne"), q, g.object())
	g.line("call void @assert(i1 %s)", c)
}
