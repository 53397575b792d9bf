package interp

import (
	"errors"
	"fmt"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// call is what a call instruction does.
type call struct {
	fn     int     // index of the function, -1 if not known before the run
	ext    *extern // nil if not an extern function
	args   []argument
	sig    *ir.Sig
	result *promise
}

type argument struct {
	at   int32
	n    int32
	bits int32 // of an integer, 64 for a pointer
	attr *promise
}

// extern is a function without a body.
type extern struct {
	ir    *ir.Extern
	model *modelled // nil: none is known
}

// model does what a function without a body would do, and writes its result.
type model func(m *machine, in *inst, a []argument) *Outcome

func newExtern(e *ir.Extern) *extern {
	m := models[e.Symbol]
	if m == nil {
		m = contracted(e.Symbol)
	}
	return &extern{ir: e, model: m}
}

func decodeCall(d *decoder, in *ir.Inst, c *inst, _ int) error {
	if len(in.Args) == 0 || in.CallSig == nil {
		return errors.New("no callee or signature")
	}
	k := &call{fn: -1, sig: in.CallSig}
	c.x = &extra{ir: in, call: k}
	c.do = doIndirectCall
	if err := d.arguments(in, k); err != nil {
		return err
	}
	k.result = promiseOf(in.CallSig.Ret.Attr, in.Type)
	callee := in.Args[0]
	switch callee.Kind {
	case ir.FuncAddr:
		if callee.Index < 0 || callee.Index >= len(d.p.slice.Funcs) {
			return fmt.Errorf("no function %d", callee.Index)
		}
		k.fn, c.do = callee.Index, doCall
	case ir.ExternAddr:
		if callee.Index < 0 || callee.Index >= len(d.p.externs) {
			return fmt.Errorf("no extern function %d", callee.Index)
		}
		k.ext, c.do = d.p.externs[callee.Index], doExternCall
		vectorCall(in, c, k)
	case ir.AsmRef:
		c.do = doAsm
	default:
		return d.operands(in.Args[:1], &c.a)
	}
	return nil
}

func (d *decoder) arguments(in *ir.Inst, k *call) error {
	for i, a := range in.Args[1:] {
		if a.Kind == ir.AsmRef {
			return errors.New("assembly as an argument")
		}
		o, err := d.operand(a)
		if err != nil {
			return err
		}
		n, err := slots(a.Type)
		if err != nil {
			return err
		}
		g := argument{at: o, n: int32(n), bits: widthOf(a.Type)}
		if i < len(in.CallSig.Params) {
			g.attr = promiseOf(in.CallSig.Params[i].Attr, a.Type)
		}
		k.args = append(k.args, g)
	}
	return nil
}

// pass collects the arguments in m.tmp and checks what the call site promises.
func (m *machine) pass(k *call) *Outcome {
	m.tmp = m.tmp[:0]
	for i := range k.args {
		a := &k.args[i]
		at := len(m.tmp)
		m.tmp = append(m.tmp, m.many(a.at, int(a.n))...)
		if a.attr != nil {
			if o := m.keep(a.attr, m.tmp[at:]); o != nil {
				return o
			}
		}
	}
	return nil
}

func doCall(m *machine, in *inst) *Outcome {
	return m.callFunction(in, m.prog.funcs[in.x.call.fn])
}

func (m *machine) callFunction(in *inst, f *function) *Outcome {
	if o := m.pass(in.x.call); o != nil {
		return o
	}
	if f.variadic && len(in.x.call.args) > len(f.params) {
		return m.unsupported("variable arguments")
	}
	if len(m.tmp) != f.args || len(in.x.call.args) != len(f.params) {
		return m.ub(UBCall, "%d words for %d", len(m.tmp), f.args)
	}
	for i := range f.params {
		p := &f.params[i]
		if p.attr != nil {
			if o := m.keep(p.attr, m.tmp[p.slot:p.slot+p.slots]); o != nil {
				return o
			}
		}
		if p.size > 0 {
			if _, _, o := m.access(m.tmp[p.slot], p.size, p.align, reading); o != nil {
				return o
			}
		}
	}
	if o := m.enter(f, in.dst); o != nil {
		return o
	}
	for i := range f.params {
		if o := m.copyParam(&f.params[i]); o != nil {
			return o
		}
	}
	return nil
}

// copyParam gives a function that was entered its own copy of an object that it
// is passed by value. The caller's may be read: that was checked.
func (m *machine) copyParam(p *param) *Outcome {
	if p.size == 0 {
		return nil
	}
	own, ok := m.mem.alloc(p.size, p.align, local)
	if !ok {
		return m.end(OutOfSteps, "memory")
	}
	m.cur.locals = append(m.cur.locals, own)
	src, at, end := m.access(m.regs[p.slot], p.size, p.align, reading)
	if end != nil {
		return end
	}
	dst := m.mem.lookup(own)
	move(dst, 0, src, at, int(p.size))
	m.regs[p.slot] = slot{v: dst.base, p: own}
	return nil
}

func doExternCall(m *machine, in *inst) *Outcome { return m.callExtern(in, in.x.call.ext) }

func (m *machine) callExtern(in *inst, e *extern) *Outcome {
	if e.ir.Panic != "" {
		return m.panics(e, in.x.call.args)
	}
	if e.ir.Omitted {
		return m.unsupported("call of a function that the slice leaves out")
	}
	if e.model == nil {
		return m.unsupported("stub: %s", e.ir.Symbol)
	}
	if !e.model.serves(in.x.ir, in.x.call.args) {
		return m.unsupported("signature of %s", e.ir.Symbol)
	}
	if o := m.pass(in.x.call); o != nil {
		return o
	}
	m.called = e.ir.Symbol
	if o := e.model.do(m, in, in.x.call.args); o != nil {
		return o
	}
	if p := in.x.call.result; p != nil && in.dst >= 0 {
		return m.keep(p, m.regs[in.dst:in.dst+in.n])
	}
	return nil
}

func doIndirectCall(m *machine, in *inst) *Outcome {
	p := m.get(in.a)
	if p.u != 0 {
		return m.ub(UBUninit, "callee is undefined")
	}
	i := (p.v - codeBase) / codeStride
	n := uint64(len(m.prog.funcs))
	if p.v < codeBase || p.v%codeStride != 0 || i >= n+uint64(len(m.prog.externs)) {
		return m.ub(UBCall, "no function at %#x", p.v)
	}
	if i >= n {
		return m.callExtern(in, m.prog.externs[i-n])
	}
	f := m.prog.funcs[i]
	if !sameShape(f.ret, in.x.ir.Type) {
		return m.ub(UBCall, "result differs")
	}
	return m.callFunction(in, f)
}

// sameShape reports whether a function's result can be taken as a t.
func sameShape(ret []scalar, t *ir.Type) bool {
	shape, err := flatten(t)
	if err != nil || len(shape) != len(ret) {
		return false
	}
	for i := range shape {
		if shape[i] != ret[i] {
			return false
		}
	}
	return true
}

// panics ends the run. The location is the argument that points to a token.
func (m *machine) panics(e *extern, a []argument) *Outcome {
	o := m.end(Panicked, e.ir.Panic)
	for i := range a {
		s := m.get(a[i].at)
		if ob := m.mem.lookup(s.p); a[i].n == 1 && s.u == 0 && ob != nil && ob.kind == token {
			o.Loc = m.prog.slice.Globals[s.p.index()].Loc - 1
		}
	}
	return o
}
