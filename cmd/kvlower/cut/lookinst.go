package cut

import (
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/contract"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// inst follows one instruction. What is not listed looks at its operands as a whole, and at all memory else.
func (l *looks) inst(fn, inst int, in *ir.Inst) {
	arg := func(i int) held { return l.value(fn, &in.Args[i]) }
	var out held
	switch in.Op {
	case ir.Br, ir.Unreachable, ir.Fence:
	case ir.CondBr, ir.Switch:
		l.size(arg(0))
	case ir.Alloca:
		out = one(spot{l.variable(place{fn, inst}), 0})
	case ir.Load:
		out = l.load(arg(0), in.Type.StoreSize())
		l.promised(out, &in.Meta)
	case ir.Store:
		l.store(arg(1), arg(0), in.Type.StoreSize())
	case ir.GEP:
		out = l.element(fn, in)
	case ir.Select:
		l.size(arg(0))
		out = union(arg(1), arg(2))
	case ir.Phi, ir.InsertValue:
		for i := range in.Args {
			out = union(out, arg(i))
		}
	case ir.ExtractValue, ir.Freeze, ir.BitCast:
		out = arg(0)
	case ir.PtrToInt, ir.Trunc, ir.ZExt, ir.SExt: // a number leads where the pointer did that it is made of, or a part of
		out = arg(0)
		l.size(out)
	case ir.Add, ir.Sub, ir.Mul, ir.UDiv, ir.SDiv, ir.URem, ir.SRem, ir.Shl, ir.LShr, ir.AShr, ir.And, ir.Or, ir.Xor:
		out = l.number(arg(0), arg(1))
	case ir.IntToPtr:
		out = l.number(arg(0))
	case ir.ICmp:
		if in.Args[0].Kind != ir.Null && in.Args[1].Kind != ir.Null { // what has no size may lie where something else does
			l.size(arg(0))
			l.size(arg(1))
		}
	case ir.Ret:
		if len(in.Args) > 0 {
			l.promised(arg(0), &l.s.Funcs[fn].Sig.Ret.Attr)
			l.returned(fn, arg(0))
		}
	case ir.Call, ir.CallBr:
		out = l.call(fn, in)
		if in.CallSig != nil {
			l.promised(out, &in.CallSig.Ret.Attr)
		}
	default:
		for i := range in.Args {
			l.whole(arg(i))
		}
		l.strange()
		out = elsewhere
	}
	if in.Result >= 0 {
		l.join(fn, &l.regs[fn][in.Result], out)
	}
}

// number is one that is made of others: it leads where they do, nobody knows to which offset, or elsewhere.
func (l *looks) number(of ...held) held {
	out := elsewhere
	for _, v := range of {
		l.size(v)
		out = union(out, v.anyOffset())
	}
	return out
}

func (l *looks) variable(at place) int {
	n, ok := l.stack[at]
	if !ok {
		n = l.newPlace(nil)
		l.stack[at] = n
	}
	return n
}

// element is what a GEP points to.
func (l *looks) element(fn int, in *ir.Inst) held {
	v := l.value(fn, &in.Args[0])
	if len(in.Args) == 1 {
		if in.Off != 0 {
			l.size(v)
		}
		return v.moved(in.Off)
	}
	l.size(v)
	out := v.anyOffset()
	for i := range in.Args[1:] { // a number that is not made of what is followed leads nowhere of its own
		out = union(out, l.number(l.value(fn, &in.Args[1+i])).known())
	}
	return out
}

// returned notes what function fn returns.
func (l *looks) returned(fn int, v held) {
	if l.rets[fn].covers(v) {
		return
	}
	l.rets[fn] = union(l.rets[fn], v)
	for caller := range l.callers[fn] {
		l.todo[caller] = true
	}
}

// call follows a call. Of code that is not known it is not known what it looks at. Functions
// that the slice leaves out change what they can reach, whatever it was: the slice does not look for them.
func (l *looks) call(fn int, in *ir.Inst) held {
	args := make([]held, len(in.Args)-1)
	for i := range args {
		args[i] = l.value(fn, &in.Args[1+i])
		if in.CallSig != nil && i < len(in.CallSig.Params) {
			l.promised(args[i], &in.CallSig.Params[i].Attr)
		}
	}
	switch callee := &in.Args[0]; callee.Kind {
	case ir.FuncAddr:
		return l.called(fn, callee.Index, args)
	case ir.ExternAddr:
		e := l.s.Externs[callee.Index]
		if out, ok := l.blind(e, args); ok {
			return out
		}
		if out, ok := l.intrinsic(e.Symbol, in, args); ok {
			return out
		}
		if out, ok := l.modelled(e.Symbol, in, args); ok {
			return out
		}
	}
	for _, v := range args {
		l.whole(v)
	}
	if in.Args[0].Kind != ir.AsmRef { // assembly that is known does nothing, and what is not ends the run
		l.strange()
	}
	return elsewhere
}

// blind follows a call of e if that looks at nothing behind args, and says what it returns.
func (l *looks) blind(e *ir.Extern, args []held) (held, bool) {
	k, known := contract.Of(e.Symbol)
	if !e.Omitted && e.Panic == "" && (!known || k.Looks()) {
		return held{}, false
	}
	for _, v := range args {
		l.leak(v)
	}
	if known && k.Result == contract.Arg && k.N < len(args) {
		return union(args[k.N], elsewhere), true
	}
	return elsewhere, true
}

// called follows a call of a function of the slice.
func (l *looks) called(caller, fn int, args []held) held {
	if !slices.ContainsFunc(args, held.followed) && !l.strewn().followed() {
		return elsewhere
	}
	f := l.s.Funcs[fn]
	l.reach(fn)
	l.callers[fn][caller] = true
	for i, v := range args {
		if i >= len(f.Sig.Params) || f.Sig.Params[i].Attr.ByVal != nil {
			l.whole(v)
			l.strange()
			continue
		}
		l.promised(v, &f.Sig.Params[i].Attr)
		l.join(fn, &l.regs[fn][i], v)
	}
	out := l.rets[fn]
	if fn == 0 { // alone, the root is not followed into a call of itself
		out = union(out, elsewhere)
		for _, v := range args {
			l.leak(v)
		}
	}
	return out
}

// intrinsic follows the calls that are most of all; false: it is none of them.
func (l *looks) intrinsic(name string, in *ir.Inst, args []held) (held, bool) {
	switch {
	case strings.HasPrefix(name, "llvm.lifetime."), name == "llvm.assume":
		return elsewhere, true
	case name == "llvm.memcpy" || name == "llvm.memmove":
		l.copied(args[0], args[1], length(in))
		return elsewhere, true
	case name == "llvm.memset":
		l.size(args[0])
		return elsewhere, true
	case strings.HasPrefix(name, "llvm.") && !takesPointer(in):
		return l.number(args...), true
	}
	return held{}, false
}

// takesPointer reports whether an argument of a call is a pointer.
func takesPointer(in *ir.Inst) bool {
	return slices.ContainsFunc(in.Args[1:], func(v ir.Value) bool { return v.Type.Kind != ir.Int })
}

// length is how many bytes a memcpy copies, -1 if that is not a number.
func length(in *ir.Inst) int64 {
	if c := &in.Args[3]; c.Kind == ir.ConstInt && c.Big.IsInt64() {
		return c.Big.Int64()
	}
	return -1
}
