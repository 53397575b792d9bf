package check_test

import (
	"fmt"
	"strings"
)

// outsideHead declares two functions that the slice does not define, and what they may do: which of it, inputs say.
// What they were told of they may keep and write to later, and what is found from there.
const outsideHead = `kvslice 1
arch x86_64
extern @assert "kvfarm_assert" (i1)
extern @copy "llvm.memcpy" (ptr, ptr, i64, i1)
extern @move "llvm.memmove" (ptr, ptr, i64, i1)
extern @any "kvfarm_any_u8" () -> i1 noundef
extern @any2 "kvfarm_any_u8" () -> i2 noundef
extern @any3 "kvfarm_any_u8" () -> i3 noundef
global @g align 8 = ptr @g, i64 7
`

const outsideExterns = `extern @tell "tell" (ptr)
extern @number "number" (i64)
extern @get "get" (ptr) -> ptr
`

const outsideBodies = `global @kept align 8 = ptr @g
func @tell (ptr %p) {
  %c = call i3 @any3()
  %q = load ptr, ptr %p, align 8
  %k = load ptr, ptr @kept, align 8
  %r = load ptr, ptr @g, align 8
  switch i3 %c [0: keep, 1: near, 2: far, 3: late, 4: link, 5: global, 6: deep], nothing
keep:
  store ptr %p, ptr @kept, align 8
  ret void
near:
  %p8 = gep inbounds ptr %p, 8
  store i64 91, ptr %p8, align 8
  ret void
far:
  %q8 = gep inbounds ptr %q, 8
  store i64 92, ptr %q8, align 8
  store ptr %q, ptr @kept, align 8
  ret void
late:
  %k8 = gep inbounds ptr %k, 8
  store i64 93, ptr %k8, align 8
  ret void
link:
  store ptr %k, ptr %p, align 8
  ret void
global:
  store ptr %r, ptr @kept, align 8
  ret void
deep:
  %kk = load ptr, ptr %k, align 8
  %kk8 = gep inbounds ptr %kk, 8
  store i64 94, ptr %kk8, align 8
  store ptr %kk, ptr @kept, align 8
  ret void
nothing:
  ret void
}

func @number (i64 %n) {
  %p = inttoptr i64 %n to ptr
  call void @tell(ptr %p)
  ret void
}

func @get (ptr %p) -> ptr {
  %c = call i2 @any2()
  %q = load ptr, ptr %p, align 8
  %k = load ptr, ptr @kept, align 8
  switch i2 %c [0: near, 1: far, 2: kept], deep
near:
  ret ptr %p
far:
  ret ptr %q
kept:
  ret ptr %k
deep:
  %kk = load ptr, ptr %k, align 8
  ret ptr %kk
}
`

// outside writes slices that call code outside. An object is an address of
// some object, or of itself, and a number: whatever is done, nothing is undefined.
type outside struct {
	*generator
	objects []string
	holds   map[string]string // by object: the number that it was last told to hold
	loops   bool              // there are loops, and addresses are told of as numbers
}

// generateOutside returns the text of a slice that calls what it does not
// define, and of the same slice with bodies of that.
func generateOutside(seed int64) (open, closed string) { return newOutside(seed).slices() }

// generateOutsideLoops does the same with loops around the calls.
func generateOutsideLoops(seed int64) (open, closed string) {
	g := newOutside(seed)
	g.loops = true
	return g.slices()
}

func newOutside(seed int64) *outside {
	return &outside{generator: newSliceGenerator(seed), objects: []string{"@g"}, holds: map[string]string{}}
}

func (g *outside) slices() (open, closed string) {
	g.bits = 12
	g.label("entry")
	for range 2 + g.rnd.Intn(2) {
		o := g.name("%o")
		g.line("%s = alloca 16, align 8", o)
		g.objects = append(g.objects, o)
	}
	g.holds["@g"] = "7"
	for _, o := range g.objects {
		if o == "@g" && g.chance(50) {
			continue // the first look at it may come late
		}
		g.link(o, o)
		g.number(o)
	}
	for range 12 {
		g.statement()
	}
	for range 2 {
		g.check()
	}
	g.line("ret void")
	root := "\nfunc @check () {\n" + g.out.String() + "}\n\n"
	return outsideHead + outsideExterns + root, outsideHead + root + outsideBodies
}

func (g *outside) statement() {
	sorts := []func(){g.store, g.store, g.links, g.links, g.links, g.tell, g.tell, g.tell, g.get, g.get, g.chase, g.copies, g.copies, g.somewhere, g.check, g.check, g.check}
	if g.depth < 2 {
		sorts = append(sorts, g.maybe, g.maybe)
	}
	if g.loops && g.depth < 2 {
		sorts = append(sorts, g.again, g.again, g.again, g.tellNumber)
	}
	sorts[g.rnd.Intn(len(sorts))]()
}

func (g *outside) object() string { return g.objects[g.rnd.Intn(len(g.objects))] }

// link lets an object hold the address of another.
func (g *outside) link(o, to string) { g.line("store ptr %s, ptr %s, align 8", to, o) }

func (g *outside) links() { g.link(g.object(), g.object()) }

func (g *outside) numberOf(o string) string {
	p := g.name("%p")
	g.line("%s = gep inbounds ptr %s, 8", p, o)
	return p
}

func (g *outside) number(o string) {
	p := g.numberOf(o)
	g.holds[o] = fmt.Sprint(1 + g.rnd.Intn(80))
	g.line("store i64 %s, ptr %s, align 8", g.holds[o], p)
}

func (g *outside) store() { g.number(g.object()) }

// bit is an input of a bit, if there may be more.
func (g *outside) bit() string {
	if g.bits -= 1; g.bits < 0 {
		return g.pick("true", "false")
	}
	c := g.name("%c")
	g.line("%s = call i1 noundef @any()", c)
	return c
}

// tell tells code outside of an object.
func (g *outside) tell() {
	if g.bits < 3 {
		return
	}
	g.bits -= 3
	o := g.object()
	if g.chance(20) {
		r := g.name("%p")
		g.line("%s = select i1 %s, ptr %s, ptr %s", r, g.bit(), o, g.object())
		o = r
	}
	g.line("call void @tell(ptr %s)", o)
}

// tellNumber tells code outside of an address as a number.
func (g *outside) tellNumber() {
	if g.bits < 3 {
		return
	}
	g.bits -= 3
	n := g.name("%n")
	g.line("%s = ptrtoint ptr %s to i64", n, g.object())
	g.line("call void @number(i64 %s)", n)
}

// again does something once, or three times.
func (g *outside) again() {
	before, head, tail, done := g.name("b"), g.name("b"), g.name("b"), g.name("b")
	n, i, i1, more := g.name("%n"), g.name("%i"), g.name("%i"), g.name("%c")
	g.line("%s = select i1 %s, i64 1, i64 3", n, g.bit())
	g.line("br label %%%s", before)
	g.label(before)
	g.line("br label %%%s", head)
	g.label(head)
	g.line("%s = phi i64 [0, %s], [%s, %s]", i, before, i1, tail)
	g.depth++
	for range 1 + g.rnd.Intn(4) {
		g.statement()
	}
	g.depth--
	g.line("br label %%%s", tail)
	g.label(tail)
	g.line("%s = add nuw i64 %s, 1", i1, i)
	g.line("%s = icmp ult i64 %s, %s", more, i1, n)
	g.line("br i1 %s, label %%%s, label %%%s", more, head, done)
	g.label(done)
}

// get writes through a pointer that code outside gave.
func (g *outside) get() {
	if g.bits < 2 {
		return
	}
	g.bits -= 2
	q := g.name("%q")
	g.line("%s = call ptr @get(ptr %s)", q, g.object())
	g.through(q)
}

// chase follows the pointer that an object holds.
func (g *outside) chase() {
	q := g.name("%q")
	g.line("%s = load ptr, ptr %s, align 8", q, g.object())
	g.through(q)
}

// through writes to where a pointer leads.
func (g *outside) through(q string) {
	switch g.rnd.Intn(4) {
	case 0:
		g.link(q, g.object())
	case 1:
		g.line("call void @move(ptr %s, ptr %s, i64 %s, i1 false)", q, g.object(), g.length())
	case 2:
		g.line("call void @move(ptr %s, ptr %s, i64 %s, i1 false)", g.object(), q, g.length())
		clear(g.holds)
	default:
		g.line("store i64 %d, ptr %s, align 8", 1+g.rnd.Intn(80), g.numberOf(q))
	}
}

// length is 0, 8 or 16, mostly not known beforehand.
func (g *outside) length() string {
	if g.chance(20) {
		return g.pick("8", "16")
	}
	n := g.name("%n")
	g.line("%s = select i1 %s, i64 %s, i64 %s", n, g.bit(), g.pick("8", "16", "16"), g.pick("0", "8", "16"))
	return n
}

func (g *outside) copies() {
	to, from := g.object(), g.object()
	g.line("call void @%s(ptr %s, ptr %s, i64 %s, i1 false)", g.pick("copy", "move"), to, from, g.length())
	delete(g.holds, to)
}

// somewhere stores the number of one of two objects.
func (g *outside) somewhere() {
	p := g.name("%p")
	g.line("%s = select i1 %s, ptr %s, ptr %s", p, g.bit(), g.object(), g.object())
	g.line("store i64 %d, ptr %s, align 8", 1+g.rnd.Intn(80), g.numberOf(p))
}

// check asserts that an object still holds the number it was told to.
func (g *outside) check() {
	o := g.object()
	want := g.holds[o]
	if want == "" {
		return
	}
	v, ok := g.name("%v"), g.name("%c")
	g.line("%s = load i64, ptr %s, align 8", v, g.numberOf(o))
	g.line("%s = icmp eq i64 %s, %s", ok, v, want)
	g.line("call void @assert(i1 %s)", ok)
}

// maybe does something in some runs only.
func (g *outside) maybe() {
	yes, no := g.name("b"), g.name("b")
	g.line("br i1 %s, label %%%s, label %%%s", g.bit(), yes, no)
	g.label(yes)
	g.depth++
	for range 1 + g.rnd.Intn(3) {
		g.statement()
	}
	g.depth--
	g.line("br label %%%s", no)
	g.label(no)
}

// ofRoot reports whether a failure is one of an assertion in the root.
func ofRoot(failure string) bool { return strings.HasPrefix(failure, "assert 0:") }
