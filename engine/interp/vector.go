package interp

import (
	"math/big"
	"strings"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// A vector takes the slots of its lanes in a row. What LLVM does lane by lane
// runs as that many instructions on scalars.

func isVector(t *ir.Type) bool { return t != nil && t.Kind == ir.Vector }

// vectorDecoders are the opcodes that differ on vectors; those that only move
// values are as ever.
var vectorDecoders = map[ir.Op]func(*decoder, *ir.Inst, *inst) error{
	ir.ExtractElement: decodeElement, ir.InsertElement: decodeElement, ir.ShuffleVector: decodeShuffle, ir.BitCast: decodeBits,
	ir.ICmp: decodeLanes, ir.Select: decodeLanes, ir.Trunc: decodeLanes, ir.ZExt: decodeLanes, ir.SExt: decodeLanes,
	ir.PtrToInt: decodeLanes, ir.IntToPtr: decodeLanes,
	ir.UDiv: decodeLanes, ir.SDiv: decodeLanes, ir.URem: decodeLanes, ir.SRem: decodeLanes,
}

// moves are the opcodes that do not look into a vector.
var moves = map[ir.Op]bool{ir.Phi: true, ir.Ret: true, ir.Call: true, ir.Freeze: true, ir.ExtractValue: true, ir.InsertValue: true}

// vectorInst decodes an instruction of vectors. It reports false where they are not supported.
func (d *decoder) vectorInst(in *ir.Inst, c *inst, b int) (bool, error) {
	f := vectorDecoders[in.Op]
	switch {
	case moves[in.Op]:
		return true, decoders[in.Op](d, in, c, b)
	case in.Op == ir.Load && inBytes(in.Type), in.Op == ir.Store && len(in.Args) > 0 && inBytes(in.Args[0].Type):
		return true, decoders[in.Op](d, in, c, b)
	case in.Op.IsBinary():
		f = decodeLanes
	case f == nil:
		return false, nil
	}
	return true, f(d, in, c)
}

// inBytes reports whether the lanes of a vector lie in memory as those of an array do.
func inBytes(t *ir.Type) bool {
	return !isVector(t) || t.Elem.Kind == ir.Ptr || t.Elem.Kind == ir.Int && t.Elem.Bits%8 == 0 && t.Elem.Bits&(t.Elem.Bits-1) == 0
}

// lanes is an instruction on each lane.
type lanes struct{ parts []inst }

// decodeLanes decodes the scalar instruction once and moves its operands along.
func decodeLanes(d *decoder, in *ir.Inst, c *inst) error {
	scalar := *in
	scalar.Type = in.Type.Scalar()
	scalar.Args = nil
	var at, step []int32
	for _, a := range in.Args {
		o, err := d.operand(a)
		if err != nil {
			return err
		}
		n, err := slots(a.Type.Scalar())
		if err != nil {
			return err
		}
		if !isVector(a.Type) {
			n = 0
		}
		at, step = append(at, o), append(step, int32(n))
		// The register stands for the operand; where that is, is entered below.
		scalar.Args = append(scalar.Args, ir.Value{Kind: ir.Reg, Type: a.Type.Scalar(), Index: in.Result})
	}
	n, err := slots(in.Type.Scalar())
	if err != nil {
		return err
	}
	lane := inst{dst: c.dst, n: int32(n), flags: c.flags, pred: c.pred, align: c.align}
	if err := decoders[in.Op](d, &scalar, &lane, 0); err != nil {
		return err
	}
	l := &lanes{}
	for i := range int32(in.Type.Len) {
		part := lane
		part.dst = c.dst + i*int32(n)
		for j, o := range []*int32{&part.a, &part.b, &part.c} {
			if j < len(at) {
				*o = along(at[j], i*step[j])
			}
		}
		l.parts = append(l.parts, part)
	}
	c.x, c.do = &extra{ir: in, lanes: l}, doLanes
	return nil
}

// along is the operand n slots after o. Constants count backwards.
func along(o, n int32) int32 {
	if o < 0 {
		return o - n
	}
	return o + n
}

// doLanes runs one lane after the other.
func doLanes(m *machine, in *inst) *Outcome {
	for i := range in.x.lanes.parts {
		if o := in.x.lanes.parts[i].do(m, &in.x.lanes.parts[i]); o != nil {
			return o
		}
	}
	return nil
}

// decodeElement is extractelement and insertelement: c is the index, width its bits.
func decodeElement(d *decoder, in *ir.Inst, c *inst) error {
	last := in.Args[len(in.Args)-1]
	n, err := slots(in.Args[0].Type.Elem)
	if err != nil {
		return err
	}
	c.width, c.imm = widthOf(last.Type), int64(n)
	c.x = &extra{ir: in}
	if in.Op == ir.ExtractElement {
		c.do = doExtractElement
		return d.operands(in.Args, &c.a, &c.c)
	}
	c.do = doInsertElement
	return d.operands(in.Args, &c.a, &c.b, &c.c)
}

// lane returns the index of an element instruction; ok is false where it names no lane.
func (m *machine) lane(in *inst) (i int32, ok bool) {
	v := m.bigOf(in.c, in.width)
	if v == nil || !v.IsInt64() || v.Int64() >= int64(in.x.ir.Args[0].Type.Len) {
		return 0, false
	}
	return int32(v.Int64()), true
}

func doExtractElement(m *machine, in *inst) *Outcome {
	i, ok := m.lane(in)
	if !ok {
		return m.spoil(in.dst, int(in.n))
	}
	copy(m.regs[in.dst:in.dst+in.n], m.many(along(in.a, i*int32(in.imm)), int(in.imm)))
	return nil
}

func doInsertElement(m *machine, in *inst) *Outcome {
	i, ok := m.lane(in)
	if !ok {
		return m.spoil(in.dst, int(in.n))
	}
	elem := append([]slot(nil), m.many(in.b, int(in.imm))...)
	copy(m.regs[in.dst:in.dst+in.n], m.many(in.a, int(in.n)))
	copy(m.regs[in.dst+i*int32(in.imm):], elem)
	return nil
}

func decodeShuffle(d *decoder, in *ir.Inst, c *inst) error {
	n, err := slots(in.Type.Elem)
	if err != nil {
		return err
	}
	c.imm, c.x, c.do = int64(n), &extra{ir: in}, doShuffle
	return d.operands(in.Args, &c.a, &c.b)
}

func doShuffle(m *machine, in *inst) *Outcome {
	n, of := int32(in.imm), int32(in.x.ir.Args[0].Type.Len)
	var out []slot
	for _, lane := range in.x.ir.Path {
		switch l := int32(lane); {
		case l < 0:
			for range n {
				out = append(out, slot{u: poison})
			}
		case l < of:
			out = append(out, m.many(along(in.a, l*n), int(n))...)
		default:
			out = append(out, m.many(along(in.b, (l-of)*n), int(n))...)
		}
	}
	copy(m.regs[in.dst:], out)
	return nil
}

// decodeBits is a bitcast between numbers and vectors of numbers.
func decodeBits(d *decoder, in *ir.Inst, c *inst) error {
	from, to := in.Args[0].Type, in.Type
	c.x = &extra{ir: in}
	switch {
	case from.Equal(to):
		c.do = func(m *machine, in *inst) *Outcome {
			copy(m.regs[in.dst:in.dst+in.n], m.many(in.a, int(in.n)))
			return nil
		}
	case from.Scalar().Kind != ir.Int || to.Scalar().Kind != ir.Int:
		c.do = doUnsupported
	default:
		c.do = doBits
	}
	return d.operands(in.Args, &c.a)
}

// doBits reads the bits of one type as another, the first lane lowest.
func doBits(m *machine, in *inst) *Outcome {
	from, to := in.x.ir.Args[0].Type, in.x.ir.Type
	bits, bad := new(big.Int), new(big.Int)
	width, n := uint(from.Scalar().Bits), limbs(int32(from.Scalar().Bits))
	for i := range max(from.Len, 1) {
		vs := m.many(along(in.a, int32(i*n)), n)
		if undefined(vs) {
			bad.Or(bad, new(big.Int).Lsh(ones(width), uint(i)*width))
			continue
		}
		bits.Or(bits, new(big.Int).Lsh(toBig(vs), uint(i)*width))
	}
	width, n = uint(to.Scalar().Bits), limbs(int32(to.Scalar().Bits))
	for i := range max(to.Len, 1) {
		vs := m.regs[int(in.dst)+i*n : int(in.dst)+(i+1)*n]
		part := func(b *big.Int) *big.Int { return new(big.Int).And(new(big.Int).Rsh(b, uint(i)*width), ones(width)) }
		if part(bad).Sign() != 0 {
			m.spoil(in.dst+int32(i*n), n)
			continue
		}
		put(vs, part(bits), int32(width))
	}
	return nil
}

func ones(width uint) *big.Int {
	one := big.NewInt(1)
	return one.Sub(new(big.Int).Lsh(one, width), one)
}

// vectorCall makes a call of an intrinsic on vectors one on each lane. It
// reports false if the call is none such.
func vectorCall(in *ir.Inst, c *inst, k *call) bool {
	if k.ext == nil || !strings.HasPrefix(k.ext.ir.Symbol, "llvm.") || len(k.args) == 0 || !isVector(in.Args[1].Type) {
		return false
	}
	if strings.HasPrefix(k.ext.ir.Symbol, "llvm.vector.reduce.") {
		c.do = doReduce
		return true
	}
	if !isVector(in.Type) || k.ext.model == nil {
		return false
	}
	scalar := *in
	scalar.Type = in.Type.Elem
	scalar.Args = append([]ir.Value(nil), in.Args...)
	for i := range scalar.Args[1:] {
		scalar.Args[1+i] = ir.Value{Type: in.Args[1+i].Type.Scalar()}
	}
	n := int32(limbs(widthOf(in.Type.Elem)))
	l := &lanes{}
	for i := range int32(in.Type.Len) {
		part := call{fn: -1, ext: k.ext, sig: k.sig}
		for j, a := range k.args {
			if isVector(in.Args[1+j].Type) {
				size := int32(limbs(widthOf(in.Args[1+j].Type.Elem)))
				a = argument{at: along(a.at, i*size), n: size, bits: widthOf(in.Args[1+j].Type.Elem), attr: a.attr}
			}
			part.args = append(part.args, a)
		}
		l.parts = append(l.parts, inst{do: doExternCall, dst: c.dst + i*n, n: n, x: &extra{ir: &scalar, call: &part}})
	}
	c.x = &extra{ir: in, call: k, lanes: l}
	c.do = doLanes
	return true
}

var reductions = map[string]func(v, w *big.Int, width int32) *big.Int{
	"add":  func(v, w *big.Int, _ int32) *big.Int { return new(big.Int).Add(v, w) },
	"mul":  func(v, w *big.Int, _ int32) *big.Int { return new(big.Int).Mul(v, w) },
	"and":  func(v, w *big.Int, _ int32) *big.Int { return new(big.Int).And(v, w) },
	"or":   func(v, w *big.Int, _ int32) *big.Int { return new(big.Int).Or(v, w) },
	"xor":  func(v, w *big.Int, _ int32) *big.Int { return new(big.Int).Xor(v, w) },
	"umax": func(v, w *big.Int, width int32) *big.Int { return pickOf(v, w, width, false, 1) },
	"umin": func(v, w *big.Int, width int32) *big.Int { return pickOf(v, w, width, false, -1) },
	"smax": func(v, w *big.Int, width int32) *big.Int { return pickOf(v, w, width, true, 1) },
	"smin": func(v, w *big.Int, width int32) *big.Int { return pickOf(v, w, width, true, -1) },
}

func pickOf(v, w *big.Int, width int32, sign bool, want int) *big.Int {
	if order(w, v, width, sign) == want {
		return w
	}
	return v
}

func doReduce(m *machine, in *inst) *Outcome {
	a, t := in.x.call.args[0], in.x.ir.Args[1].Type
	f := reductions[strings.TrimPrefix(in.x.call.ext.ir.Symbol, "llvm.vector.reduce.")]
	if f == nil || t.Elem.Kind != ir.Int {
		return m.unsupported("%s", in.x.call.ext.ir.Symbol)
	}
	width, n := widthOf(t.Elem), limbs(widthOf(t.Elem))
	var out *big.Int
	for i := range t.Len {
		v := m.bigOf(along(a.at, int32(i*n)), width)
		switch {
		case v == nil:
			return m.spoil(in.dst, int(in.n))
		case out == nil:
			out = v
		default:
			out = f(out, v, width)
			out.And(out, ones(uint(width)))
		}
	}
	return m.result(in, out, width)
}
