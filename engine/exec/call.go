package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// call executes a call: of one function at once; of one of several, each on a path of its own.
func (x *exec) call(s *state, in *ir.Inst) (bool, error) {
	callee, err := x.operand(s, &in.Args[0])
	if err != nil {
		return false, err
	}
	if err := x.requireSet(s, callee.poison, PoisonUse, callee); err != nil {
		return false, err
	}
	args, err := x.operands(s, in.Args[1:])
	if err != nil {
		return false, err
	}
	targets, err := x.targets(s, callee)
	if err != nil {
		return false, err
	}
	if len(targets) == 1 {
		return x.invoke(s, in, targets[0].obj, args)
	}
	x.askPending(s)
	for i, a := range targets {
		t := s
		if i < len(targets)-1 {
			t = s.fork()
		}
		t.pc = t.pc.with(x.b, a.guard)
		if t.model != nil && !t.model.True(a.guard) {
			t.model = nil
		}
		more, err := x.invoke(t, in, a.obj, args)
		if err != nil {
			x.askPending(t)
			x.finish(t, err)
		} else if more {
			x.put(t)
		}
	}
	return false, nil
}

// targets returns the functions that a callee can be, and inputs: what a pointer of no known type leads to may be a
// function as well as bytes. Anything else is undefined.
func (x *exec) targets(s *state, callee *value) ([]alt, error) {
	var out []alt
	bad := expr.False
	for _, a := range x.asPtr(callee) {
		if a.obj == wildObject {
			bad = x.b.Or(bad, x.b.And(a.guard, x.b.IsZero(a.off)))
			out = append(out, a)
			continue
		}
		kind := x.infos[a.obj].kind
		if kind == objInput {
			out = append(out, a)
			continue
		}
		if kind != objFunc && kind != objExtern {
			bad = x.b.Or(bad, a.guard)
			continue
		}
		bad = x.b.Or(bad, x.b.And(a.guard, x.b.Not(x.b.IsZero(a.off))))
		out = append(out, a)
	}
	if err := x.require(s, bad, BadCall); err != nil {
		return nil, err
	}
	if len(out) == 1 {
		return out, nil
	}
	var open []alt
	for _, a := range out {
		if ok, _ := x.feasible(s, a.guard); ok {
			open = append(open, a)
		}
	}
	if len(open) == 0 {
		return nil, errOver
	}
	return open, nil
}

func (x *exec) invoke(s *state, in *ir.Inst, obj int, args []*value) (bool, error) {
	o := x.infos[obj]
	switch {
	case obj == wildObject:
		return x.unknownCall(s, in, "call of an address that came in as a number", args, in.CallSig)
	case o.kind == objInput:
		return x.unknownCall(s, in, "call of a pointer that came in", args, in.CallSig)
	}
	if o.kind == objExtern {
		e := x.slice.Externs[o.ref]
		if !e.Omitted {
			return x.external(s, in, e, args)
		}
		if !fits(in, &e.Sig, args) {
			return false, x.mismatch(s)
		}
		return x.skip(s, in, anyFunction, &e.Sig, args)
	}
	return x.enterCall(s, in, o.ref, args)
}

// enterCall pushes a frame.
func (x *exec) enterCall(s *state, in *ir.Inst, fi int, args []*value) (bool, error) {
	fl := x.flows[fi]
	if fl.fn.Sig.Variadic && len(args) > len(fl.fn.Sig.Params) {
		return false, stopf("unsupported: variable arguments")
	}
	if !fits(in, &fl.fn.Sig, args) {
		return false, x.mismatch(s)
	}
	if !x.follows(fi) {
		return x.skip(s, in, fi, &fl.fn.Sig, args)
	}
	if depth(s.top) >= x.cfg.CallDepth {
		return false, &stop{reason: "recursion bound", bound: x.cfg.CallDepth}
	}
	regs := make([]*value, fl.fn.NumReg)
	var locals []int
	for i, v := range args {
		p := &fl.fn.Sig.Params[i]
		v, err := x.argument(s, in, i, v, &p.Attr, p.Type)
		if err != nil {
			return false, err
		}
		if p.Attr.ByVal != nil {
			own, err := x.byValue(s, v, &p.Attr)
			if err != nil {
				return false, err
			}
			locals = append(locals, own)
			v = x.pointer(own, x.b.Const(0, 64))
		}
		regs[i] = v
		if p.Attr.NoAlias {
			x.note("noalias is not checked")
		}
	}
	f := s.top
	s.top = &frame{parent: f, flow: fl, prefix: f.prefix + f.position() + string([]byte{byte(fi >> 16), byte(fi >> 8), byte(fi)}), regs: regs, locals: locals}
	s.top.enter(0)
	return x.goOn(s), nil
}

// fits reports whether a function of type sig can be called so.
func fits(in *ir.Inst, sig *ir.Sig, args []*value) bool {
	return len(args) == len(sig.Params) && in.Type.Equal(sig.Ret.Type)
}

// byValue makes a callee's own copy of the object that it is passed by value.
func (x *exec) byValue(s *state, p *value, at *ir.Attr) (int, error) {
	n, align := at.ByVal.Size(), max(at.Align, at.ByVal.Align())
	if n > maxObject {
		return 0, stopf("argument of more than %d bytes", maxObject)
	}
	var from []alt
	if n > 0 {
		var err error
		if from, err = x.access(s, p, n, align, false); err != nil {
			return 0, err
		}
	}
	own := x.newObject(info{kind: objStack, name: "argument", bytes: n, align: align})
	x.own(s, own)
	if n == 0 {
		return own, nil
	}
	to := []alt{{guard: expr.True, obj: own, off: x.b.Const(0, 64)}}
	return own, x.copyRange(s, to, from, x.b.Const(uint64(n), 64), n)
}

// argument applies the attributes that the call site and the callee give an argument.
func (x *exec) argument(s *state, in *ir.Inst, i int, v *value, at *ir.Attr, t *ir.Type) (*value, error) {
	if in.CallSig != nil && i < len(in.CallSig.Params) {
		p := &in.CallSig.Params[i]
		if !p.Type.Equal(t) {
			return nil, x.mismatch(s)
		}
		w, err := x.attributes(s, v, &p.Attr, p.Type)
		if err != nil {
			return nil, err
		}
		v = w
	}
	return x.attributes(s, v, at, t)
}

// mismatch is a call with another signature than the callee's.
func (x *exec) mismatch(s *state) error {
	if err := x.require(s, expr.True, BadCall); err != nil {
		return err
	}
	return errOver
}

func depth(f *frame) int {
	n := 0
	for ; f != nil; f = f.parent {
		n++
	}
	return n
}

// ret pops a frame, or ends the run.
func (x *exec) ret(s *state, in *ir.Inst) (bool, error) {
	f := s.top
	var v *value
	if len(in.Args) > 0 {
		w, err := x.operand(s, &in.Args[0])
		if err != nil {
			return false, err
		}
		if v, err = x.attributes(s, w, &f.flow.fn.Sig.Ret.Attr, in.Args[0].Type); err != nil {
			return false, err
		}
	}
	if f.parent == nil {
		return false, x.reachEnd(s)
	}
	s.dropObjects(f.locals)
	s.top = f.parent.clone()
	call := s.top.flow.fn.Blocks[s.top.block].Insts[s.top.inst]
	if err := x.deliver(s, call, v); err != nil {
		return false, err
	}
	return x.goOn(s), nil
}

// deliver hands a call's result to the frame that waits for it and moves on.
func (x *exec) deliver(s *state, call *ir.Inst, v *value) error {
	if call.Result >= 0 {
		if v == nil {
			return x.mismatch(s)
		}
		if call.CallSig != nil {
			w, err := x.attributes(s, v, &call.CallSig.Ret.Attr, call.Type)
			if err != nil {
				return err
			}
			v = w
		}
		s.top.regs[call.Result] = v
	}
	s.top.inst++
	return nil
}
