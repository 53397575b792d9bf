package exec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/contract"
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// What a contract allows is done here, all of it. A run does not become loose by
// it: what C may have changed, or returned, is marked as such, and what hangs on
// it is not refuted unless C may well do so (an input).

// contractOf is the contract of a function that has no model of its own.
func contractOf(symbol string) (contract.Contract, bool) {
	k, ok := contract.Of(symbol)
	return k, ok && k.Effect != contract.Model
}

// contracted executes a call of a function with contract k.
func contracted(k contract.Contract) model {
	return func(x *exec, c *callee) (*value, error) {
		x.contracts[k.Symbol] = true
		ret, done, err := x.contractResult(c, k)
		if err != nil {
			return nil, err
		}
		switch k.Effect {
		case contract.Keeps:
			x.leak(c.s, c.args)
		case contract.Fills:
			err = x.fillBuffer(c, k, done)
		case contract.Gives:
			err = x.given(c, k, done)
		case contract.Changes:
			x.disturb(c.s, c.args, k.Symbol)
		case contract.Calls:
			err = x.callsRust(c, k.Symbol)
		}
		return ret, err
	}
}

// contractResult is what a call returns, and whether it did what it is for, as
// far as the result tells.
func (x *exec) contractResult(c *callee, k contract.Contract) (v *value, done expr.Expr, err error) {
	t := c.in.Type
	switch {
	case t.Kind == ir.Void:
		return nil, expr.True, nil
	case k.Result == contract.Arg && k.N < len(c.args) && c.in.CallSig != nil && c.in.CallSig.Params[k.N].Type.Equal(t):
		return c.args[k.N], expr.True, nil
	case k.Result == contract.Input && t.Kind == ir.Int:
		return intValue(x.ask(c.s, "any", t.Bits, expr.True)), expr.True, nil
	}
	result := anyResult
	if k.Result == contract.Some {
		result = someResult
	}
	if v, err = result(x, c); err != nil || t.Kind != ir.Int {
		return v, expr.True, err
	}
	b, done := x.b, expr.True
	switch k.Result {
	case contract.Errno:
		done = b.IsZero(v.e)
		bad := b.And(b.Sign(v.e), b.Sle(b.ConstInt(-maxErrno, t.Bits), v.e))
		err = x.assume(c.s, b.Or(done, bad))
	case contract.Status:
		done = b.IsZero(v.e)
	case contract.Bool:
		err = x.assume(c.s, b.Ule(v.e, b.Const(1, t.Bits)))
	case contract.AtMost:
		err = x.assume(c.s, b.Ule(v.e, x.resize(c.args[k.N].e, t.Bits)))
	}
	return v, done, err
}

// disturb gives any content to all that C can reach, now that it knows args.
func (x *exec) disturb(s *state, args []*value, by string) {
	x.leak(s, args)
	x.havocBy(s, expr.True, "memory that "+by+" may have changed")
}

// callsRust is a call of C code that may call back whatever it knows of.
func (x *exec) callsRust(c *callee, by string) error {
	if r, _ := x.sat(c.s, expr.True); r == smt.Unsat {
		return errOver
	}
	x.note(quiet)
	x.disturb(c.s, c.args, by)
	if reason := "called back by C: " + by; x.giveBack(reason, nil) {
		x.unproved(c.s, reason)
	}
	return nil
}

// fillBuffer writes any bytes to a call's buffer: all if the call did what it is
// for, else perhaps. Without a buffer nothing is written.
func (x *exec) fillBuffer(c *callee, k contract.Contract, done expr.Expr) error {
	at, n, err := x.bufferOf(c, k)
	if err != nil {
		return err
	}
	content := x.b.FreeArray("filled", 64, 8)
	why := "any content from " + k.Symbol
	filled := x.perhaps(done, why)
	x.markForeign(content, why)
	for _, a := range at {
		if isNumber(a.obj) {
			continue
		}
		when := x.b.AndAll(a.guard, x.nonzero(n), filled)
		x.push(c.s, a.obj, &spread{guard: when, start: a.off, count: n, alien: true,
			at: func(off expr.Expr) (*value, error) { return intValue(x.b.Read(content, off)), nil }})
	}
	return nil
}

// bufferOf finds where a call's buffer lies, and checks that it is one.
func (x *exec) bufferOf(c *callee, k contract.Contract) (at []alt, n expr.Expr, err error) {
	n = x.b.Const(uint64(k.Size), 64)
	if k.SizeIn {
		n = x.resize(c.args[k.Size].e, 64)
	}
	p := c.args[k.Buffer]
	some := x.b.Not(x.nullness(p))
	q := &value{ptr: x.narrowed(x.asPtr(p), some), poison: p.poison}
	at, err = x.span(c.s, q, n, 1, true)
	return at, n, err
}

func (x *exec) nullness(p *value) expr.Expr {
	out := expr.False
	for _, a := range x.asPtr(p) {
		if isNumber(a.obj) {
			out = x.b.Or(out, x.b.And(a.guard, x.b.IsZero(a.off)))
		}
	}
	return out
}

// perhaps holds where a call did what it is for; where it did not, it may hold.
func (x *exec) perhaps(done expr.Expr, why string) expr.Expr {
	if done == expr.True {
		return done
	}
	some := x.b.Var("filled", 1)
	x.foreign[x.b.Support(some)[0]] = why
	return x.b.Or(done, some)
}

// given fills a call's buffer with inputs of the run.
func (x *exec) given(c *callee, k contract.Contract, done expr.Expr) error {
	n := intValue(x.b.Const(uint64(k.Size), 64))
	if k.SizeIn {
		n = c.args[k.Size]
	}
	p := c.args[k.Buffer]
	if filled := x.perhaps(done, "any content from "+k.Symbol); filled != expr.True {
		p = &value{ptr: x.narrowed(x.asPtr(p), filled), poison: p.poison}
	}
	_, err := anyBytes(x, &callee{s: c.s, in: c.in, name: c.name, args: []*value{p, n}})
	return err
}

// contractsNote is the assumption that the C functions which were called keep to their contracts.
func (x *exec) contractsNote() string {
	names := make([]string, 0, len(x.contracts))
	for s := range x.contracts {
		names = append(names, s)
	}
	slices.Sort(names)
	return fmt.Sprintf("C functions keep to their contracts: %s", strings.Join(names, ", "))
}

// changeBit is set_bit or clear_bit (number, words): as if nothing else ran.
func changeBit(set bool) model {
	return func(x *exec, c *callee) (*value, error) {
		b := x.b
		if err := x.require(c.s, c.args[0].poison, UninitUse); err != nil {
			return nil, err
		}
		nr := x.resize(c.args[0].e, 64)
		word := b.Shl(b.LShr(nr, b.Const(6, 64)), b.Const(3, 64))
		p := &value{ptr: moved(b, x.asPtr(c.args[1]), word), poison: c.args[1].poison}
		at, err := x.access(c.s, p, 8, 8, true)
		if err != nil {
			return nil, err
		}
		old, err := x.read(c.s, at, 8)
		if err != nil {
			return nil, err
		}
		bit := b.Shl(b.Const(1, 64), b.And(nr, b.Const(63, 64)))
		v := b.Or(x.asInt(old), bit)
		if !set {
			v = b.And(x.asInt(old), b.Not(bit))
		}
		return nil, x.write(c.s, at, &value{e: v, poison: old.poison}, 8)
	}
}

// bitmapZalloc is bitmap_zalloc(bits, flags): null, or zeroed words for so many bits.
func bitmapZalloc(x *exec, c *callee) (*value, error) {
	b := x.b
	if err := x.require(c.s, c.args[0].poison, UninitUse); err != nil {
		return nil, err
	}
	bits := x.resize(c.args[0].e, 64)
	words := b.LShr(b.Add(bits, b.Const(63, 64)), b.Const(6, 64))
	return x.fresh(c, b.Shl(words, b.Const(3, 64)), expr.True), nil
}

// dmaAlloc is dma_alloc_attrs(dev, size, address, flags, attributes): null, or
// memory whose content the device may change at any time, and its address as the device sees it.
func dmaAlloc(x *exec, c *callee) (*value, error) {
	k := contract.Contract{Symbol: c.name, Buffer: 2, Size: 8}
	if err := x.require(c.s, c.args[1].poison, UninitUse); err != nil {
		return nil, err
	}
	v, got := x.fresh(c, x.resize(c.args[1].e, 64), expr.True), expr.False
	for _, a := range v.ptr {
		if !isNumber(a.obj) {
			o := x.infos[a.obj]
			o.device, o.align, got = "what the device wrote to memory of "+c.name, pageAlign, a.guard
		}
	}
	return v, x.fillBuffer(c, k, got)
}

// pageAlign is how memory is aligned that comes in pages.
const pageAlign = 4096
