package exec

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/contract"
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// Two objects hold no bytes. A pointer's offset into them is its address.
const (
	noObject   = 0 // null, and integers that the program made up: accessing them is undefined
	wildObject = 1 // addresses that came in as plain numbers: what they point to is not known
)

func isNumber(obj int) bool { return obj <= wildObject }

// objectKind says where an object comes from.
type objectKind uint8

const (
	objNone   objectKind = iota
	objGlobal            // ref: global
	objFunc              // ref: function
	objExtern            // ref: extern
	objStack
	objHeap
	objInput // behind a reference or pointer of an automatic root
)

// info is what never changes of an object.
type info struct {
	kind  objectKind
	ref   int
	name  string
	size  expr.Expr // bytes, 64 bits wide
	bytes int64     // size if it is a number, else -1
	align int64
	least int64 // of an input behind a raw pointer: what its address is a multiple of, whoever calls
	fixed bool  // immutable
	own   bool  // code outside of the slice cannot reach it unless it is told its address
	sole  bool  // an input to which no other reference leads, since Rust excludes it
	raw   bool  // an input behind a raw pointer
	// frozen: nobody writes to it while the root runs.
	frozen bool
	device string    // somebody else writes to it at any time: why a byte of it may be anything at each look
	family string    // of an allocation: which functions may free it
	zeroed expr.Expr // of an allocation: where it was asked for zeroed, and each before it that it takes the place of
	seen   bool      // its first content was looked at
	base   *base     // content before the first write
	// exists: the runs in which there is such an object, None for all. What is
	// said of an object whose size is no number must not say anything of other runs.
	exists expr.Expr
	addr   expr.Expr // address, None until asked for
	placed bool      // it is held against that of others
	held   bool      // and may be equal to one of them (overlap.go): no replay shows that
}

// object is the part of an object that changes. Its owner may change it in place.
type object struct {
	owner *token
	dead  expr.Expr // freed, or its lifetime has ended
	top   *layer
}

// token names one state as the owner of memory; two states never share one.
type token struct{ _ byte }

// slot is one byte of memory: byte i of a cell. A nil cell is a byte that was not written.
type slot struct {
	c *cell
	i int
}

// cell is a value as it was stored, n bytes long.
type cell struct {
	v *value
	n int
}

const pageBytes = 64

type page struct {
	owner *token
	slots [pageBytes]slot
}

// layer is what was written to an object since a write at an unknown place,
// which lies beneath its pages and above the layer below.
type layer struct {
	owner *token
	pages map[int64]*page
	under *spread // nil only in the lowest layer
	below *layer
	base  *base // lowest layer only
}

// spread is a write whose place is not known: it covers the bytes
// [start, start+count) where guard holds. at gives the byte at an offset within it.
type spread struct {
	guard, start, count expr.Expr
	at                  func(off expr.Expr) (*value, error)
	word                *value // what it may hold; nil if that is no pointer
	copied              *copied
	alien               bool // its bytes are none that the slice made
}

// copied is where a write's bytes come from: objects as a state saw them.
type copied struct {
	s    *state
	from []alt
}

// base is the content of an object before any write.
type base struct {
	kind   baseKind
	global *ir.Global
	array  expr.Array // baseFree; baseUnknown, once made
	made   bool
	unset  bool       // baseFree: it may be poison, where poison says so
	poison expr.Array // of bits
	input  *input     // baseInput
	choice *choice    // baseChoice
}

// choice is content of one object that two paths see differently.
type choice struct {
	sel  expr.Expr
	a, b *base
}

type baseKind uint8

const (
	baseUninit baseKind = iota
	baseZero
	baseGlobal
	baseFree    // any bytes
	baseInput   // by shape
	baseUnknown // not known: to read it is loose
	baseChoice
)

func (x *exec) newObject(o info) int {
	if o.size == expr.None {
		o.size = x.b.Const(uint64(o.bytes), 64)
	} else if n, ok := x.b.Uint64(o.size); ok && int64(n) >= 0 {
		o.bytes = int64(n)
	} else {
		o.bytes = -1
	}
	if o.base == nil {
		o.base = &base{}
	}
	x.infos = append(x.infos, &o)
	return len(x.infos) - 1
}

// staticObjects gives functions, externs and globals their objects.
func (x *exec) staticObjects() {
	x.newObject(info{name: "null"})
	x.newObject(info{name: "input address"})
	x.funcObj = len(x.infos)
	for i := range x.slice.Funcs {
		x.newObject(info{kind: objFunc, ref: i, name: fmt.Sprintf("func%d", i), align: 1, fixed: true, base: &base{kind: baseUnknown}})
	}
	x.externObj = len(x.infos)
	for i, e := range x.slice.Externs {
		x.newObject(info{kind: objExtern, ref: i, name: e.Symbol, align: 1, fixed: true, base: &base{kind: baseUnknown}})
	}
	x.globalObj = len(x.infos)
	for i, g := range x.slice.Globals {
		b := &base{kind: baseGlobal, global: g}
		changed := !g.Const && x.slice.Inputs != nil // by whatever ran before an automatic root
		if g.External || g.Loc != 0 || changed {
			b.kind = baseUnknown
		}
		o := info{kind: objGlobal, ref: i, name: fmt.Sprintf("global%d", i), bytes: g.Size, align: max(1, g.Align), fixed: g.Const, base: b}
		if g.External && contract.Restless(g.Symbol) {
			o.device = "content of " + g.Symbol
		}
		x.newObject(o)
	}
}

// high says that an object lies above null, and what was allocated above the
// address that stands for no bytes, unless it has none.
func (x *exec) high(o *info) expr.Expr {
	b := x.b
	if o.kind != objHeap {
		return b.Ult(b.Const(0, 64), o.addr)
	}
	least := b.Const(zeroSizePtr, 64)
	return b.Or(b.Ult(least, o.addr), b.And(b.IsZero(o.size), b.Eq(o.addr, least)))
}

// pageBits are the bits of an input's address that a witness tells: where in a page it begins.
const pageBits = 12

// address returns the address of an object, which is apart from that of every
// other object whose address may be held against it.
func (x *exec) address(obj int) expr.Expr {
	o := x.infos[obj]
	addr := x.addressAlone(obj)
	if isNumber(obj) || o.placed {
		return addr
	}
	o.placed = true
	b := x.b
	end := b.Add(o.addr, o.size)
	for _, p := range x.placed {
		q := x.infos[p]
		x.compares(obj, p)
		if x.shared(o) || x.shared(q) || x.cfg.Overlaps && x.overlapping(obj, p) {
			continue // such constants may be laid over each other, and inputs over anything
		}
		gone := b.Or(x.absent(o), x.absent(q))
		x.axiom(b.Or(gone, b.Or(b.Ule(end, q.addr), b.Ule(b.Add(q.addr, q.size), o.addr))))
	}
	x.placed = append(x.placed, obj)
	return addr
}

// addressAlone returns the address of an object: a variable, aligned and not null. It
// is for what does not hang on where other objects are.
func (x *exec) addressAlone(obj int) expr.Expr {
	o := x.infos[obj]
	if isNumber(obj) {
		return x.b.Const(0, 64)
	}
	if o.addr != expr.None {
		return o.addr
	}
	b := x.b
	o.addr = b.Var("address of "+o.name, 64)
	x.addrOf[o.addr] = obj
	x.addrSource[b.Support(o.addr)[0]] = obj
	if o.kind == objInput {
		x.rootInputs = append(x.rootInputs, rootInput{o.name + ".page", b.Trunc(o.addr, pageBits)})
	}
	x.axiom(x.high(o))
	if align := x.alignment(o); align > 1 {
		x.axiom(b.Eq(b.And(o.addr, b.Const(uint64(align-1), 64)), b.Const(0, 64)))
	}
	x.axiom(b.Or(x.absent(o), b.Ule(o.addr, b.Add(o.addr, o.size))))
	return o.addr
}

// alignment is what is known of the address of o. A raw pointer may be misaligned as long as nothing is read or
// written through it: that it is not is assumed of callers where its address is looked at.
func (x *exec) alignment(o *info) int64 {
	switch {
	case !o.raw || o.least >= o.align:
		return o.align
	case x.cfg.Overlaps:
		return o.least
	}
	x.presumed.shows = true
	return o.align
}

// absent says in which runs there is no such object.
func (x *exec) absent(o *info) expr.Expr {
	if o.exists == expr.None {
		return expr.False
	}
	return x.b.Not(o.exists)
}

// ptrToInt returns the address that a pointer holds.
func (x *exec) ptrToInt(p []alt) expr.Expr {
	var out expr.Expr
	for i := len(p) - 1; i >= 0; i-- {
		a := p[i].off
		if !isNumber(p[i].obj) {
			a = x.b.Add(x.address(p[i].obj), a)
		}
		if out == expr.None {
			out = a
		} else {
			out = x.b.ITE(p[i].guard, a, out)
		}
	}
	return out
}

// intToPtr finds the object that an address was made from: it takes choices
// apart and looks for the variables that stand for addresses.
func (x *exec) intToPtr(e expr.Expr) []alt {
	if x.b.Op(e) == expr.OpITE {
		sel := x.b.Arg(e, 0)
		return x.choosePtr(sel, x.intToPtr(x.b.Arg(e, 1)), x.intToPtr(x.b.Arg(e, 2)))
	}
	obj := noObject
	if x.b.IsConst(e) {
		return []alt{{guard: expr.True, obj: noObject, off: e}}
	}
	for _, v := range x.b.Vars(e) {
		if o, ok := x.addrOf[v]; ok {
			if obj != noObject {
				return []alt{{guard: expr.True, obj: wildObject, off: e}} // made from two addresses
			}
			obj = o
		}
	}
	switch {
	case obj != noObject && x.chosenOutside(e):
		obj = wildObject // that address, or one that came in
	case obj != noObject:
		e = x.b.Sub(e, x.infos[obj].addr)
		if x.infos[obj].kind == objInput && x.maybeBefore(e) && !x.cfg.Overlaps {
			x.presumed.shows = true
		}
	case x.incoming(e):
		obj = wildObject
	}
	return []alt{{guard: expr.True, obj: obj, off: e}}
}

// incoming reports whether an automatic root's inputs decide a number, or what
// a generalised loop left behind: they may hold addresses.
func (x *exec) incoming(e expr.Expr) bool {
	if x.chosenOutside(e) {
		return true
	}
	for _, v := range x.b.Vars(e) {
		for _, r := range x.rootInputs {
			if r.e == v {
				return true
			}
		}
	}
	return false
}

// chosenOutside reports whether memory that came in decides a number, or code
// outside, or a generalised loop.
func (x *exec) chosenOutside(e expr.Expr) bool {
	if len(x.b.FreeReads(e)) > 0 {
		return true
	}
	for _, v := range x.b.Vars(e) {
		if x.outside[v] || x.holes[v] {
			return true
		}
	}
	return false
}

// asInt returns an integer, or the address that a pointer holds.
func (x *exec) asInt(v *value) expr.Expr {
	if v.ptr != nil {
		return x.ptrToInt(v.ptr)
	}
	return v.e
}
