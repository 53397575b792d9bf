package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// maxObject is the largest stack object that is executed, in bytes.
const maxObject = 1 << 24

func (x *exec) alloca(s *state, in *ir.Inst) (*value, error) {
	size := in.Size
	if len(in.Args) > 0 {
		n, err := x.operand(s, &in.Args[0])
		if err != nil {
			return nil, err
		}
		c, ok := x.b.Uint64(n.e)
		if !ok || c > maxObject {
			return nil, stopf("alloca of unknown or large size")
		}
		size *= int64(c)
	}
	if size > maxObject {
		return nil, stopf("alloca of more than %d bytes", maxObject)
	}
	id := x.newObject(info{kind: objStack, name: "stack", bytes: size, align: max(1, in.Align)})
	x.own(s, id)
	s.top.locals = append(s.top.locals, id)
	x.stats.PeakObjects = max(x.stats.PeakObjects, int64(len(s.mem)))
	return x.pointer(id, x.b.Const(0, 64)), nil
}

func (x *exec) load(s *state, in *ir.Inst) (*value, error) {
	p, err := x.operand(s, &in.Args[0])
	if err != nil {
		return nil, err
	}
	x.noteAccess(in)
	v, err := x.loadType(s, p, in.Type, in.Align)
	if err != nil {
		return nil, err
	}
	return x.loaded(s, v, in)
}

func (x *exec) noteAccess(in *ir.Inst) {
	if in.Flags&ir.Atomic != 0 {
		x.note("atomics are sequential")
	}
	if in.Flags&ir.Volatile != 0 {
		x.note("volatile accesses are ordinary ones")
	}
}

func (x *exec) loadType(s *state, p *value, t *ir.Type, align int64) (*value, error) {
	n := t.StoreSize()
	if n == 0 {
		return x.filled(t, expr.False)
	}
	if t.Kind == ir.Float {
		return nil, stopf("unsupported: load of %v", t)
	}
	at, err := x.access(s, p, n, align, false)
	if err != nil {
		return nil, err
	}
	return x.readType(s, at, t)
}

// readType reads a value whose place was checked.
func (x *exec) readType(s *state, at []alt, t *ir.Type) (*value, error) {
	switch t.Kind {
	case ir.Struct, ir.Array:
		out := &value{agg: make([]*value, t.NumFields()), poison: expr.False}
		for i := range out.agg {
			f, err := x.readType(s, x.shiftAlts(at, t.Offset(i)), t.Field(i))
			if err != nil {
				return nil, err
			}
			out.agg[i] = f
		}
		return out, nil
	case ir.Vector:
		return x.readVector(s, at, t)
	case ir.Ptr:
		v, err := x.read(s, at, 8)
		if err != nil {
			return nil, err
		}
		return &value{ptr: x.asPtr(v), poison: v.poison, exact: v.whole()}, nil
	case ir.Int:
		v, err := x.read(s, at, int(t.StoreSize()))
		if err != nil {
			return nil, err
		}
		return x.narrow(v, t.Bits), nil
	}
	return nil, stopf("unsupported: load of %v", t)
}

// narrow makes an integer of whole bytes one of fewer bits: bits past the width must be 0.
func (x *exec) narrow(v *value, width int) *value {
	e := x.asInt(v)
	have := x.b.Width(e)
	if have == width {
		return &value{e: e, poison: v.poison, bytes: v.bytes, exact: v.exact}
	}
	over := x.b.Not(x.b.IsZero(x.b.Extract(e, width, have-width)))
	return &value{e: x.b.Trunc(e, width), poison: x.b.Or(v.poison, over)}
}

func (x *exec) shiftAlts(at []alt, off int64) []alt {
	if off == 0 {
		return at
	}
	out := make([]alt, len(at))
	for i, a := range at {
		out[i] = a
		out[i].off = x.b.Add(a.off, x.b.Const(uint64(off), 64))
		if a.lin.step != 0 {
			out[i].lin.rem += off
		}
	}
	return out
}

// loaded checks what the load's metadata promise: without !noundef a violation makes poison.
func (x *exec) loaded(s *state, v *value, in *ir.Inst) (*value, error) {
	return x.attributes(s, v, &in.Meta, in.Type)
}

// attributes applies the attributes of a value that is loaded, passed or returned.
func (x *exec) attributes(s *state, v *value, at *ir.Attr, t *ir.Type) (*value, error) {
	if at.NoUndef {
		if err := x.requireSet(s, x.anyPoison(v), UninitUse, v); err != nil {
			return nil, err
		}
		v = x.defined(v)
	}
	for _, c := range []struct {
		bad  expr.Expr
		kind Kind
	}{{x.outOfRange(v, at, t), InvalidRange}, {x.isNullValue(v, at), NullRef}, {x.crooked(v, at), Misaligned}} {
		bad, err := x.excuse(s, v, c.bad)
		switch {
		case err != nil:
			return nil, err
		case bad == expr.False:
		case at.NoUndef:
			if err := x.require(s, bad, c.kind); err != nil {
				return nil, err
			}
		default:
			v = x.withPoison(v, bad, v.poison == expr.False)
		}
	}
	return v, x.dereferenceable(s, v, at)
}

// dereferenceable checks that a pointer leads to as many live bytes as promised.
func (x *exec) dereferenceable(s *state, v *value, at *ir.Attr) error {
	n := max(at.Deref, at.DerefOrNull)
	if n == 0 || v.ptr == nil {
		return nil
	}
	b, bad, wild, null := x.b, expr.False, expr.False, expr.False
	if at.Deref > 0 {
		bad = v.poison
	}
	for _, a := range v.ptr {
		o := x.infos[a.obj]
		switch {
		case a.obj == wildObject:
			wild = b.Or(wild, a.guard)
			if at.Deref > 0 {
				null = b.Or(null, b.And(a.guard, b.IsZero(a.off)))
			}
		case a.obj == noObject && at.Deref == 0:
			bad = b.Or(bad, b.And(a.guard, x.nonzero(a.off)))
		case o.kind == objGlobal && x.slice.Globals[o.ref].Loc > 0: // has no size
		default:
			size := b.Const(uint64(n), 64)
			inside := b.And(b.Ule(size, o.size), b.Ule(a.off, b.Sub(o.size, size)))
			bad = b.Or(bad, b.AndAll(a.guard, b.Not(x.ahead(a)), b.Or(b.Not(inside), x.deadOf(s, a.obj))))
		}
	}
	if wild != expr.False {
		if r, _ := x.sat(s, wild); r != smt.Unsat {
			x.unproved(s, "a reference that came in as a number")
		}
	}
	null, err := x.excuse(s, v, null)
	if err != nil {
		return err
	}
	return x.require(s, b.Or(bad, null), BadRef)
}

func (x *exec) anyPoison(v *value) expr.Expr {
	p := v.poison
	for _, f := range v.agg {
		p = x.b.Or(p, x.anyPoison(f))
	}
	return p
}

// defined returns v without poison, which was excluded.
func (x *exec) defined(v *value) *value {
	if v.poison == expr.False && v.agg == nil {
		return v
	}
	w := *v
	w.poison, w.bytes = expr.False, nil
	w.agg = nil
	for _, f := range v.agg {
		w.agg = append(w.agg, x.defined(f))
	}
	return &w
}

func (x *exec) outOfRange(v *value, at *ir.Attr, t *ir.Type) expr.Expr {
	if at.RangeLo == nil || v.e == expr.None || t.Kind != ir.Int {
		return expr.False
	}
	b := x.b
	lo, hi := b.ConstBig(at.RangeLo, t.Bits), b.ConstBig(at.RangeHi, t.Bits)
	if lo == hi {
		return expr.False
	}
	// v is in [lo, hi) modulo 2^width just if v-lo < hi-lo.
	return b.Not(b.Ult(b.Sub(v.e, lo), b.Sub(hi, lo)))
}

func (x *exec) isNullValue(v *value, at *ir.Attr) expr.Expr {
	if !at.NonNull || v.ptr == nil {
		return expr.False
	}
	out := expr.False
	for _, a := range v.ptr {
		if isNumber(a.obj) {
			out = x.b.Or(out, x.b.And(a.guard, x.b.IsZero(a.off)))
		}
	}
	return out
}

func (x *exec) crooked(v *value, at *ir.Attr) expr.Expr {
	if at.Align <= 1 || v.ptr == nil {
		return expr.False
	}
	out := expr.False
	for _, a := range v.ptr {
		out = x.b.Or(out, x.b.And(a.guard, x.misaligned(a, at.Align)))
	}
	return out
}

func (x *exec) store(s *state, in *ir.Inst) error {
	v, err := x.operand(s, &in.Args[0])
	if err != nil {
		return err
	}
	p, err := x.operand(s, &in.Args[1])
	if err != nil {
		return err
	}
	x.noteAccess(in)
	return x.storeType(s, p, v, in.Args[0].Type, in.Align)
}

func (x *exec) storeType(s *state, p, v *value, t *ir.Type, align int64) error {
	n := t.StoreSize()
	if n == 0 {
		return nil
	}
	if t.Kind == ir.Float {
		return stopf("unsupported: store of %v", t)
	}
	at, err := x.access(s, p, n, align, true)
	if err != nil {
		return err
	}
	return x.writeType(s, at, v, t)
}

func (x *exec) writeType(s *state, at []alt, v *value, t *ir.Type) error {
	switch t.Kind {
	case ir.Struct, ir.Array:
		for i := range v.agg {
			if err := x.writeType(s, x.shiftAlts(at, t.Offset(i)), v.agg[i], t.Field(i)); err != nil {
				return err
			}
		}
		return nil
	case ir.Vector:
		return x.writeVector(s, at, v, t)
	case ir.Int:
		n := int(t.StoreSize())
		if v.ptr == nil && t.Bits != 8*n {
			v = &value{e: x.b.ZExt(v.e, 8*n), poison: v.poison}
		}
		return x.write(s, at, v, n)
	}
	return x.write(s, at, v, 8)
}

func (x *exec) cmpXchg(s *state, in *ir.Inst) (*value, error) {
	x.note("atomics are sequential")
	args, err := x.operands(s, in.Args)
	if err != nil {
		return nil, err
	}
	t := in.Args[1].Type
	old, err := x.exchanged(s, args[0], t, in.Align)
	if err != nil {
		return nil, err
	}
	// What is stored hangs on the comparison, as a way does on a branch's condition.
	if err := x.require(s, x.b.Or(old.poison, args[1].poison), UninitUse); err != nil {
		return nil, err
	}
	eq := x.b.Eq(x.asInt(old), x.asInt(args[1]))
	if err := x.storeType(s, args[0], x.choose(eq, args[2], old), t, in.Align); err != nil {
		return nil, err
	}
	if in.Flags&ir.Weak != 0 {
		x.note("weak compare-and-exchange does not fail spuriously")
	}
	return &value{agg: []*value{old, {e: eq, poison: expr.False}}, poison: expr.False}, nil
}

// exchanged loads what an atomic operation is about to write over: it fails as a store does.
func (x *exec) exchanged(s *state, p *value, t *ir.Type, align int64) (*value, error) {
	if _, err := x.access(s, p, t.StoreSize(), align, true); err != nil {
		return nil, err
	}
	return x.loadType(s, p, t, align)
}

func (x *exec) atomicRMW(s *state, in *ir.Inst) (*value, error) {
	x.note("atomics are sequential")
	args, err := x.operands(s, in.Args)
	if err != nil {
		return nil, err
	}
	old, err := x.exchanged(s, args[0], in.Type, in.Align)
	if err != nil {
		return nil, err
	}
	v := args[1]
	if in.RMW != "xchg" {
		if old.ptr != nil || v.ptr != nil {
			return nil, stopf("unsupported: atomicrmw %s of pointers", in.RMW)
		}
		e, ok := x.rmw(in.RMW, old.e, v.e)
		if !ok {
			return nil, stopf("unsupported: atomicrmw %s", in.RMW)
		}
		v = &value{e: e, poison: x.b.Or(old.poison, v.poison)}
	}
	return old, x.storeType(s, args[0], v, in.Type, in.Align)
}

func (x *exec) rmw(op string, l, r expr.Expr) (expr.Expr, bool) {
	b := x.b
	switch op {
	case "add":
		return b.Add(l, r), true
	case "sub":
		return b.Sub(l, r), true
	case "and":
		return b.And(l, r), true
	case "nand":
		return b.Not(b.And(l, r)), true
	case "or":
		return b.Or(l, r), true
	case "xor":
		return b.Xor(l, r), true
	case "max":
		return b.SMax(l, r), true
	case "min":
		return b.SMin(l, r), true
	case "umax":
		return b.UMax(l, r), true
	case "umin":
		return b.UMin(l, r), true
	}
	return expr.None, false
}

func (x *exec) operands(s *state, args []ir.Value) ([]*value, error) {
	out := make([]*value, len(args))
	for i := range args {
		v, err := x.operand(s, &args[i])
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}
