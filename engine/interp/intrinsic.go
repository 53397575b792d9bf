package interp

import (
	"maps"
	"math/big"
	"math/bits"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// models has one entry per function without a body that is understood:
// LLVM's intrinsics without their type suffixes, the check crate's functions,
// and C functions.
var models map[string]*modelled

// modelled is a model with the signature that it can serve.
type modelled struct {
	args int // at least so many, all scalars
	ret  result
	do   model
}

// result says what a model writes.
type result uint8

const (
	nought   result = iota // nothing, or what the first argument is
	number                 // one integer of any width
	word                   // one pointer or integer of at most 64 bits
	same                   // what the first argument is
	pair                   // what the first argument is, and an i1
	whatever               // anything
)

func init() {
	models = map[string]*modelled{
		"llvm.lifetime.start": {1, nought, lifetimeStart}, "llvm.lifetime.end": {1, nought, lifetimeEnd},
		"llvm.assume": {1, nought, assume}, "llvm.expect": {1, same, passFirst}, "llvm.is.constant": {1, word, isConstant},
		"llvm.expect.with.probability": {1, same, passFirst}, "llvm.launder.invariant.group": {1, same, passFirst},
		"llvm.strip.invariant.group": {1, same, passFirst}, "llvm.threadlocal.address": {1, same, passFirst},
		"llvm.experimental.noalias.scope.decl": {0, nought, nothing}, "llvm.donothing": {0, nought, nothing},
		"llvm.sideeffect": {0, nought, nothing}, "llvm.prefetch": {0, nought, nothing},
		"llvm.stacksave": {0, word, zero}, "llvm.stackrestore": {0, nought, nothing}, "llvm.objectsize": {2, word, objectSize},
		"llvm.trap": {0, nought, trap}, "llvm.ubsantrap": {0, nought, trap}, "llvm.debugtrap": {0, nought, trap},
		"llvm.memcpy": {3, nought, memcpy}, "llvm.memcpy.inline": {3, nought, memcpy}, "llvm.memmove": {3, nought, memmove},
		"llvm.memset": {3, nought, memset}, "llvm.memset.inline": {3, nought, memset},
		"llvm.uadd.with.overflow": {2, pair, withOverflow((*big.Int).Add, false)},
		"llvm.sadd.with.overflow": {2, pair, withOverflow((*big.Int).Add, true)},
		"llvm.usub.with.overflow": {2, pair, withOverflow((*big.Int).Sub, false)},
		"llvm.ssub.with.overflow": {2, pair, withOverflow((*big.Int).Sub, true)},
		"llvm.umul.with.overflow": {2, pair, withOverflow((*big.Int).Mul, false)},
		"llvm.smul.with.overflow": {2, pair, withOverflow((*big.Int).Mul, true)},
		"llvm.uadd.sat":           {2, same, saturating((*big.Int).Add, false)},
		"llvm.sadd.sat":           {2, same, saturating((*big.Int).Add, true)},
		"llvm.usub.sat":           {2, same, saturating((*big.Int).Sub, false)},
		"llvm.ssub.sat":           {2, same, saturating((*big.Int).Sub, true)},
		"llvm.umin":               {2, same, choose(false, -1)}, "llvm.umax": {2, same, choose(false, 1)},
		"llvm.smin": {2, same, choose(true, -1)}, "llvm.smax": {2, same, choose(true, 1)},
		"llvm.ucmp": {2, number, compare(false)}, "llvm.scmp": {2, number, compare(true)},
		"llvm.abs": {2, same, absolute}, "llvm.ctpop": {1, same, ctpop},
		"llvm.ctlz": {2, same, ctlz}, "llvm.cttz": {2, same, cttz},
		"llvm.bswap": {1, same, bswap}, "llvm.bitreverse": {1, same, bitreverse},
		"llvm.fshl": {3, same, funnel(true)}, "llvm.fshr": {3, same, funnel(false)},
		"llvm.ptrmask": {2, same, ptrmask},
	}
	maps.Copy(models, libcModels)
	maps.Copy(models, kernelModels())
	for name, f := range cModels {
		models[name] = f
	}
}

// serves reports whether the call fits the model.
func (k *modelled) serves(in *ir.Inst, args []argument) bool {
	if len(args) < k.args {
		return false
	}
	for i := range args[:k.args] {
		if int(args[i].n) != limbs(args[i].bits) {
			return false
		}
	}
	t := in.Type
	switch k.ret {
	case whatever:
		return true
	case number:
		return t.Kind == ir.Int
	case word:
		return t.Kind == ir.Ptr || t.Kind == ir.Int && t.Bits <= 64
	case same:
		return t.Equal(in.Args[1].Type)
	case pair:
		return t.NumFields() == 2 && t.Kind == ir.Struct && t.Elems[0].Equal(in.Args[1].Type) && t.Elems[1].Equal(ir.I1)
	}
	return t.Kind == ir.Void || len(in.Args) > 1 && t.Equal(in.Args[1].Type)
}

func nothing(*machine, *inst, []argument) *Outcome { return nil }

func zero(m *machine, in *inst, _ []argument) *Outcome { return m.set(in, 0) }

// objectSize knows nothing: 0 if the least size is asked for, else -1.
func objectSize(m *machine, in *inst, a []argument) *Outcome {
	if m.get(a[1].at).v != 0 {
		return m.set(in, 0)
	}
	return m.set(in, maskOf(widthOf(in.x.ir.Type)))
}

func trap(m *machine, _ *inst, _ []argument) *Outcome { return m.ub(UBTrap, "") }

func passFirst(m *machine, in *inst, a []argument) *Outcome {
	copy(m.regs[in.dst:in.dst+in.n], m.many(a[0].at, int(a[0].n)))
	return nil
}

// isConstant says no: both answers are right.
func isConstant(m *machine, in *inst, _ []argument) *Outcome { return m.set(in, 0) }

func assume(m *machine, _ *inst, a []argument) *Outcome {
	switch c := m.get(a[0].at); {
	case c.u != 0:
		return m.ub(UBUninit, "assumption is undefined")
	case c.v == 0:
		return m.ub(UBAssume, "")
	}
	return nil
}

// lifetimeStart makes the object live, with undefined content.
func lifetimeStart(m *machine, _ *inst, a []argument) *Outcome {
	if o := m.mem.lookup(m.get(a[len(a)-1].at).p); o != nil && o.kind == local {
		o.live = true
		m.touch(int64(len(o.data)))
		o.wipe()
	}
	return nil
}

func lifetimeEnd(m *machine, _ *inst, a []argument) *Outcome {
	if o := m.mem.lookup(m.get(a[len(a)-1].at).p); o != nil && o.kind == local {
		o.live = false
	}
	return nil
}

// numbers reads the first n arguments; ok is false if one is undefined, and
// then the result is poison.
func (m *machine) numbers(in *inst, a []argument, n int) (vs []*big.Int, ok bool) {
	for _, g := range a[:n] {
		v := m.bigOf(g.at, g.bits)
		if v == nil {
			m.spoil(in.dst, int(in.n))
			return nil, false
		}
		vs = append(vs, v)
	}
	return vs, true
}

// store writes a number of the given width as the result.
func (m *machine) result(in *inst, v *big.Int, width int32) *Outcome {
	put(m.regs[in.dst:int(in.dst)+limbs(width)], v, width)
	return nil
}

func withOverflow(f func(z, a, b *big.Int) *big.Int, sign bool) model {
	return func(m *machine, in *inst, a []argument) *Outcome {
		v, ok := m.numbers(in, a, 2)
		if !ok {
			return nil
		}
		r, over := exact(f, v[0], v[1], a[0].bits, sign)
		m.regs[int(in.dst)+limbs(a[0].bits)] = slot{v: bit(over)}
		return m.result(in, r, a[0].bits)
	}
}

// exact computes without bounds and says whether the result fits the width.
func exact(f func(z, a, b *big.Int) *big.Int, a, b *big.Int, width int32, sign bool) (r *big.Int, over bool) {
	if !sign {
		r = f(new(big.Int), a, b)
		return r, !fitsUnsigned(r, width)
	}
	r = f(new(big.Int), bigSigned(a, width), bigSigned(b, width))
	return r, !fitsSigned(r, width)
}

func saturating(f func(z, a, b *big.Int) *big.Int, sign bool) model {
	return func(m *machine, in *inst, a []argument) *Outcome {
		v, ok := m.numbers(in, a, 2)
		if !ok {
			return nil
		}
		w := a[0].bits
		r, over := exact(f, v[0], v[1], w, sign)
		if over {
			r = bound(r.Sign() < 0, w, sign)
		}
		return m.result(in, r, w)
	}
}

// bound is the least or the greatest number of a width.
func bound(least bool, width int32, sign bool) *big.Int {
	one := big.NewInt(1)
	switch {
	case !sign && least:
		return new(big.Int)
	case !sign:
		return one.Sub(new(big.Int).Lsh(one, uint(width)), one)
	case least:
		return new(big.Int).Neg(new(big.Int).Lsh(one, uint(width-1)))
	}
	return one.Sub(new(big.Int).Lsh(one, uint(width-1)), one)
}

// order compares two numbers of a width.
func order(a, b *big.Int, width int32, sign bool) int {
	if sign {
		return bigSigned(a, width).Cmp(bigSigned(b, width))
	}
	return a.Cmp(b)
}

func choose(sign bool, want int) model {
	return func(m *machine, in *inst, a []argument) *Outcome {
		v, ok := m.numbers(in, a, 2)
		if !ok {
			return nil
		}
		r := v[0]
		if order(v[1], v[0], a[0].bits, sign) == want {
			r = v[1]
		}
		return m.result(in, r, a[0].bits)
	}
}

func compare(sign bool) model {
	return func(m *machine, in *inst, a []argument) *Outcome {
		v, ok := m.numbers(in, a, 2)
		if !ok {
			return nil
		}
		r := int64(order(v[0], v[1], a[0].bits, sign))
		return m.result(in, big.NewInt(r), widthOf(in.x.ir.Type))
	}
}

// flagged reports whether the i1 argument says that the edge case is poison.
func (m *machine) flagged(a []argument) bool { return len(a) > 1 && m.get(a[1].at).v != 0 }

func absolute(m *machine, in *inst, a []argument) *Outcome {
	v, ok := m.numbers(in, a, 1)
	if !ok {
		return nil
	}
	w := a[0].bits
	s := bigSigned(v[0], w)
	if !fitsSigned(new(big.Int).Neg(s), w) && m.flagged(a) {
		return m.spoil(in.dst, int(in.n))
	}
	return m.result(in, s.Abs(s), w)
}

func ctpop(m *machine, in *inst, a []argument) *Outcome {
	v, ok := m.numbers(in, a, 1)
	if !ok {
		return nil
	}
	n := 0
	for _, w := range v[0].Bits() {
		n += bits.OnesCount(uint(w))
	}
	return m.result(in, big.NewInt(int64(n)), a[0].bits)
}

func ctlz(m *machine, in *inst, a []argument) *Outcome {
	return m.zeros(in, a, func(v *big.Int, width int) int { return width - v.BitLen() })
}

func cttz(m *machine, in *inst, a []argument) *Outcome {
	return m.zeros(in, a, func(v *big.Int, _ int) int { return int(v.TrailingZeroBits()) })
}

func (m *machine) zeros(in *inst, a []argument, count func(*big.Int, int) int) *Outcome {
	v, ok := m.numbers(in, a, 1)
	if !ok {
		return nil
	}
	w := a[0].bits
	n := int(w)
	if v[0].Sign() != 0 {
		n = count(v[0], n)
	} else if m.flagged(a) {
		return m.spoil(in.dst, int(in.n))
	}
	return m.result(in, big.NewInt(int64(n)), w)
}

func bswap(m *machine, in *inst, a []argument) *Outcome {
	if a[0].bits%16 != 0 {
		return m.unsupported("llvm.bswap of %d bits", a[0].bits)
	}
	v, ok := m.numbers(in, a, 1)
	if !ok {
		return nil
	}
	b := v[0].FillBytes(make([]byte, a[0].bits/8))
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return m.result(in, new(big.Int).SetBytes(b), a[0].bits)
}

func bitreverse(m *machine, in *inst, a []argument) *Outcome {
	v, ok := m.numbers(in, a, 1)
	if !ok {
		return nil
	}
	r := new(big.Int)
	for i := range int(a[0].bits) {
		r.SetBit(r, int(a[0].bits)-1-i, v[0].Bit(i))
	}
	return m.result(in, r, a[0].bits)
}

// funnel shifts the concatenation of two numbers and keeps the high or the low half.
func funnel(left bool) model {
	return func(m *machine, in *inst, a []argument) *Outcome {
		v, ok := m.numbers(in, a, 3)
		if !ok {
			return nil
		}
		w := uint(a[0].bits)
		n := uint(new(big.Int).Mod(v[2], big.NewInt(int64(w))).Uint64())
		both := new(big.Int).Or(new(big.Int).Lsh(v[0], w), v[1])
		if left {
			both.Rsh(both.Lsh(both, n), w)
		} else {
			both.Rsh(both, n)
		}
		return m.result(in, both, a[0].bits)
	}
}

func ptrmask(m *machine, in *inst, a []argument) *Outcome {
	p, k := *m.get(a[0].at), m.get(a[1].at)
	if p.u|k.u != 0 {
		return m.spoil(in.dst, 1)
	}
	p.v &= k.v
	m.regs[in.dst] = p
	return nil
}
