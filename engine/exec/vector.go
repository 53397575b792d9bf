package exec

import (
	"strings"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// A vector is a value with a part for each lane. What LLVM does lane by lane is
// done so, poison included.

func isVector(t *ir.Type) bool { return t != nil && t.Kind == ir.Vector }

// ofVectors reports whether an instruction takes or gives a vector.
func ofVectors(in *ir.Inst) bool {
	if isVector(in.Type) {
		return true
	}
	for i := range in.Args {
		if isVector(in.Args[i].Type) {
			return true
		}
	}
	return false
}

// vector computes an instruction of vectors.
func (x *exec) vector(s *state, in *ir.Inst, args []*value) (*value, error) {
	switch {
	case in.Op == ir.ExtractElement:
		return x.extractElement(args[0], args[1]), nil
	case in.Op == ir.InsertElement:
		return x.insertElement(args[0], args[1], args[2]), nil
	case in.Op == ir.ShuffleVector:
		return x.shuffle(in, args)
	case in.Op == ir.BitCast:
		return x.bitCast(args[0], in.Args[0].Type, in.Type)
	case in.Op == ir.Freeze:
		return x.freeze(args[0], in.Type), nil
	case in.Op.IsBinary() || in.Op.IsCast() || in.Op == ir.ICmp || in.Op == ir.Select:
		return x.lanes(in, args, func(lane *ir.Inst, args []*value) (*value, error) { return x.compute(s, lane, args) })
	}
	return nil, stopf("unsupported: %v of vectors", in.Op)
}

// lanes applies f to each lane; what is no vector goes to every lane as it is.
func (x *exec) lanes(in *ir.Inst, args []*value, f func(*ir.Inst, []*value) (*value, error)) (*value, error) {
	lane := *in
	lane.Type = in.Type.Elem
	lane.Args = make([]ir.Value, len(in.Args))
	for i := range in.Args {
		lane.Args[i] = ir.Value{Type: in.Args[i].Type.Scalar()}
	}
	out := &value{agg: make([]*value, in.Type.Len), poison: expr.False}
	for i := range out.agg {
		parts := make([]*value, len(args))
		for j, a := range args {
			if parts[j] = a; a.agg != nil {
				parts[j] = a.agg[i]
			}
		}
		v, err := f(&lane, parts)
		if err != nil {
			return nil, err
		}
		out.agg[i] = v
	}
	return out, nil
}

// atLane says where an index names lane i, and where it names none of n.
func (x *exec) atLane(idx *value, i, n int) (here, past expr.Expr) {
	b, e := x.b, x.resize(idx.e, 64)
	return b.Eq(e, b.Const(uint64(i), 64)), b.Or(idx.poison, b.Not(b.Ult(e, b.Const(uint64(n), 64))))
}

func (x *exec) extractElement(v, idx *value) *value {
	out := v.agg[0]
	for i := range v.agg {
		here, _ := x.atLane(idx, i, len(v.agg))
		out = x.choose(here, v.agg[i], out)
	}
	_, past := x.atLane(idx, 0, len(v.agg))
	return x.withPoison(out, past, false)
}

func (x *exec) insertElement(v, elem, idx *value) *value {
	out := &value{agg: make([]*value, len(v.agg)), poison: expr.False}
	for i := range v.agg {
		here, past := x.atLane(idx, i, len(v.agg))
		out.agg[i] = x.withPoison(x.choose(here, elem, v.agg[i]), past, false)
	}
	return out
}

// shuffle takes lanes of two vectors by a mask, in which -1 is poison.
func (x *exec) shuffle(in *ir.Inst, args []*value) (*value, error) {
	all := append(append([]*value(nil), args[0].agg...), args[1].agg...)
	out := &value{poison: expr.False}
	for _, m := range in.Path {
		if m >= 0 {
			out.agg = append(out.agg, all[m])
			continue
		}
		v, err := x.filled(in.Type.Elem, expr.True)
		if err != nil {
			return nil, err
		}
		out.agg = append(out.agg, v)
	}
	return out, nil
}

// piece is a run of bits with its poison.
type piece struct{ e, poison expr.Expr }

// bitCast reads the bits of one value as another, the first lane lowest. A lane
// is poison if a bit of it was.
func (x *exec) bitCast(v *value, from, to *ir.Type) (*value, error) {
	if from.Scalar().Kind != ir.Int || to.Scalar().Kind != ir.Int {
		if from.Equal(to) {
			return v, nil
		}
		return nil, stopf("unsupported: bitcast of %v to %v", from, to)
	}
	var src []piece
	if v.agg == nil {
		src = []piece{{x.asInt(v), v.poison}}
	}
	for _, l := range v.agg {
		src = append(src, piece{x.asInt(l), l.poison})
	}
	if to.Kind == ir.Int {
		return x.join(src, 0, to.Bits), nil
	}
	out := &value{poison: expr.False}
	for i := range to.Len {
		out.agg = append(out.agg, x.join(src, i*to.Elem.Bits, to.Elem.Bits))
	}
	return out, nil
}

// join returns width bits from bit at on of pieces that lie one after the other.
func (x *exec) join(src []piece, at, width int) *value {
	out := &value{e: expr.None, poison: expr.False}
	for _, p := range src {
		w := x.b.Width(p.e)
		if at < w && width > 0 {
			n := min(w-at, width)
			part := x.b.Extract(p.e, at, n)
			if out.e == expr.None {
				out.e = part
			} else {
				out.e = x.b.Concat(part, out.e)
			}
			out.poison = x.b.Or(out.poison, p.poison)
			at, width = at+n, width-n
		}
		at -= w
	}
	return out
}

// laneStep is the distance of lanes in memory, in bytes; 0 if they are no whole bytes.
func laneStep(t *ir.Type) int64 {
	if t.Elem.Kind == ir.Ptr {
		return 8
	}
	if t.Elem.Kind != ir.Int || t.Elem.Bits%8 != 0 {
		return 0
	}
	return int64(t.Elem.Bits / 8)
}

// asInteger is the type of a vector's bits as one number.
func asInteger(t *ir.Type) *ir.Type { return ir.IntType(t.Len * t.Elem.Bits) }

func (x *exec) readVector(s *state, at []alt, t *ir.Type) (*value, error) {
	step := laneStep(t)
	if step == 0 && t.Elem.Kind == ir.Int {
		v, err := x.readType(s, at, asInteger(t))
		if err != nil {
			return nil, err
		}
		return x.bitCast(v, asInteger(t), t)
	}
	if step == 0 {
		return nil, stopf("unsupported: load of %v", t)
	}
	out := &value{poison: expr.False}
	for i := range int64(t.Len) {
		v, err := x.readType(s, x.shiftAlts(at, i*step), t.Elem)
		if err != nil {
			return nil, err
		}
		out.agg = append(out.agg, v)
	}
	return out, nil
}

func (x *exec) writeVector(s *state, at []alt, v *value, t *ir.Type) error {
	step := laneStep(t)
	if step == 0 && t.Elem.Kind == ir.Int {
		w, err := x.bitCast(v, t, asInteger(t))
		if err != nil {
			return err
		}
		return x.writeType(s, at, w, asInteger(t))
	}
	if step == 0 {
		return stopf("unsupported: store of %v", t)
	}
	for i, l := range v.agg {
		if err := x.writeType(s, x.shiftAlts(at, int64(i)*step), l, t.Elem); err != nil {
			return err
		}
	}
	return nil
}

// laneModel is a model of an intrinsic that works lane by lane.
func laneModel(m model) model {
	return func(x *exec, c *callee) (*value, error) {
		if !isVector(c.in.Type) {
			return m(x, c)
		}
		args := c.in.Args[1:]
		in := *c.in
		in.Args = args
		return x.lanes(&in, c.args, func(lane *ir.Inst, parts []*value) (*value, error) {
			return m(x, &callee{s: c.s, in: lane, name: c.name, args: parts})
		})
	}
}

// laneOverflow is *.with.overflow on vectors: its result has a vector of each.
func laneOverflow(x *exec, c *callee) (*value, error) {
	if c.args[0].agg == nil {
		return withOverflow(x, c)
	}
	out := &value{agg: []*value{{poison: expr.False}, {poison: expr.False}}, poison: expr.False}
	for i := range c.args[0].agg {
		v, err := withOverflow(x, &callee{s: c.s, in: c.in, name: c.name, args: []*value{c.args[0].agg[i], c.args[1].agg[i]}})
		if err != nil {
			return nil, err
		}
		for j := range out.agg {
			out.agg[j].agg = append(out.agg[j].agg, v.agg[j])
		}
	}
	return out, nil
}

// reduce is llvm.vector.reduce: one number out of all lanes.
func reduce(x *exec, c *callee) (*value, error) {
	b := x.b
	op, ok := map[string]func(l, r expr.Expr) expr.Expr{
		"add": b.Add, "mul": b.Mul, "and": b.And, "or": b.Or, "xor": b.Xor,
		"smax": b.SMax, "smin": b.SMin, "umax": b.UMax, "umin": b.UMin,
	}[strings.TrimPrefix(c.name, "llvm.vector.reduce.")]
	v := c.args[0]
	if !ok || len(v.agg) == 0 || v.agg[0].e == expr.None {
		return nil, stopf("unsupported: %s", c.name)
	}
	out := v.agg[0].e
	for _, l := range v.agg[1:] {
		out = op(out, l.e)
	}
	return &value{e: out, poison: x.anyPoison(v)}, nil
}
