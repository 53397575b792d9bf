package ir

// arity is the number of operands of the opcodes that have a fixed one.
var arity = map[Op]int{
	Br: 0, CondBr: 1, Switch: 1, Unreachable: 0, IndirectBr: 1,
	Load: 1, Store: 2, Fence: 0, CmpXchg: 3, AtomicRMW: 2,
	ICmp: 2, Select: 3, Freeze: 1, ExtractValue: 1, InsertValue: 2,
	ExtractElement: 2, InsertElement: 3, ShuffleVector: 2, Unsupported: 0,
}

// numTargets is the number of targets of the opcodes that have a fixed one.
var numTargets = map[Op]int{Br: 1, CondBr: 2}

func (c *checker) instruction(in *Inst) {
	if !c.check(in.Op > OpInvalid && in.Op <= Unsupported, "opcode %d", in.Op) || !c.typ(in.Type) {
		return
	}
	for i := range in.Args {
		if !c.operand(&in.Args[i]) {
			return
		}
	}
	n, fixed := arity[in.Op]
	switch {
	case in.Op.IsBinary():
		n, fixed = 2, true
	case in.Op.IsCast():
		n, fixed = 1, true
	}
	if fixed && !c.check(len(in.Args) == n, "%d operands", len(in.Args)) {
		return
	}
	c.targets(in)
	c.check(in.Flags&^flagsOf[in.Op] == 0, "flags %#x", in.Flags)
	wantResult := in.Type.Kind != Void && in.Op != Store
	c.check((in.Result >= 0) == wantResult, "result %d of type %v", in.Result, in.Type)
	c.rules(in)
}

func (c *checker) targets(in *Inst) {
	n, fixed := numTargets[in.Op]
	switch in.Op {
	case Switch:
		n, fixed = len(in.Cases)+1, true
	case Phi:
		n, fixed = len(in.Args), true
	case CallBr, IndirectBr:
		c.check(len(in.Targets) > 0, "no targets")
		return
	}
	c.check(len(in.Targets) == n || !fixed && len(in.Targets) == 0, "%d targets", len(in.Targets))
}

func (c *checker) rules(in *Inst) {
	switch {
	case in.Op.IsTerminator():
		c.terminator(in)
	case in.Op.IsBinary():
		c.check(in.Type.Scalar().Kind == Int && c.all(in.Args, in.Type), "operands of %v", in.Type)
	case in.Op.IsCast():
		c.cast(in)
	case in.Op >= Alloca && in.Op <= AtomicRMW:
		c.memory(in)
	default:
		c.other(in)
	}
}

// all reports whether all operands have the type.
func (c *checker) all(args []Value, t *Type) bool {
	for i := range args {
		if !args[i].Type.Equal(t) {
			return false
		}
	}
	return true
}

func (c *checker) terminator(in *Inst) {
	switch in.Op {
	case Ret:
		ret := c.fn.Sig.Ret.Type
		if ret.Kind == Void {
			c.check(len(in.Args) == 0, "value returned from void")
			return
		}
		c.check(len(in.Args) == 1 && in.Args[0].Type.Equal(ret), "return of %v", ret)
	case CondBr:
		c.check(in.Args[0].Type.Equal(I1), "condition of %v", in.Args[0].Type)
	case IndirectBr:
		c.check(in.Args[0].Type.Kind == Ptr, "address of %v", in.Args[0].Type)
	case CallBr:
		c.call(in)
	case Switch:
		c.check(in.Args[0].Type.Kind == Int, "switch of %v", in.Args[0].Type)
		seen := map[string]bool{}
		for i := range in.Cases {
			v := &in.Cases[i]
			if c.check(v.Kind == ConstInt && v.Type.Equal(in.Args[0].Type), "case %d", i) && c.constant(v) {
				c.check(!seen[v.Big.String()], "case %v twice", v.Big)
				seen[v.Big.String()] = true
			}
		}
	}
}

func (c *checker) cast(in *Inst) {
	from, to := in.Args[0].Type, in.Type
	f, t := from.Scalar(), to.Scalar()
	ok := (from.Kind == Vector) == (to.Kind == Vector) && (from.Kind != Vector || from.Len == to.Len)
	switch in.Op {
	case Trunc:
		ok = ok && f.Kind == Int && t.Kind == Int && f.Bits > t.Bits
	case ZExt, SExt:
		ok = ok && f.Kind == Int && t.Kind == Int && f.Bits < t.Bits
	case PtrToInt:
		ok = ok && f.Kind == Ptr && t.Kind == Int
	case IntToPtr:
		ok = ok && f.Kind == Int && t.Kind == Ptr
	case BitCast:
		ok = isFirstClass(from) && isFirstClass(to) && (f.Kind == Ptr) == (t.Kind == Ptr) && bitsOf(from) == bitsOf(to)
	}
	c.check(ok, "%v to %v", from, to)
}

func isFirstClass(t *Type) bool { return t.Kind != Void && t.Kind != Struct && t.Kind != Array }

func bitsOf(t *Type) int64 {
	if t.Kind == Vector {
		return int64(t.Len) * t.Elem.bitSize()
	}
	return t.bitSize()
}

func (c *checker) memory(in *Inst) {
	ptr := func(i int) { c.check(in.Args[i].Type.Kind == Ptr, "address of %v", in.Args[i].Type) }
	switch in.Op {
	case Alloca:
		c.check(in.Type.Kind == Ptr && in.Size >= 0 && in.Size <= MaxObject, "%v of %d bytes", in.Type, in.Size)
		c.check(len(in.Args) == 0 || len(in.Args) == 1 && in.Args[0].Type.Kind == Int, "number of elements")
	case Load:
		ptr(0)
		c.dataType(in.Type)
		c.attr(&Param{in.Type, in.Meta})
	case Store:
		ptr(1)
		c.check(in.Type.Equal(in.Args[0].Type), "store of %v", in.Type)
	case GEP:
		c.gep(in)
		return
	case CmpXchg:
		ptr(0)
		c.check(in.Args[1].Type.Equal(in.Args[2].Type) && in.Type.Equal(StructType(in.Args[1].Type, I1)), "exchange of %v", in.Type)
		c.check(orderings[in.FailOrd], "ordering %q on failure", in.FailOrd)
	case AtomicRMW:
		ptr(0)
		c.check(rmwOps[in.RMW] && in.Type.Equal(in.Args[1].Type), "%q of %v", in.RMW, in.Type)
	}
	c.check(in.Op == Fence || isAlign(in.Align), "alignment %d", in.Align)
	c.check(in.Op == CmpXchg || in.FailOrd == "", "ordering %q on failure", in.FailOrd)
	atomic := in.Flags&Atomic != 0 || in.Op == CmpXchg || in.Op == AtomicRMW || in.Op == Fence
	c.check(atomic == orderings[in.Ordering] && atomic == (in.Ordering != ""), "ordering %q", in.Ordering)
}

func (c *checker) gep(in *Inst) {
	if !c.check(len(in.Args) == 1+len(in.Scales) && in.Type.Kind == Ptr, "%d operands", len(in.Args)) {
		return
	}
	c.check(in.Args[0].Type.Kind == Ptr, "address of %v", in.Args[0].Type)
	for i := range in.Args[1:] {
		c.check(in.Args[1+i].Type.Kind == Int, "index of %v", in.Args[1+i].Type)
	}
}

func (c *checker) other(in *Inst) {
	switch in.Op {
	case ICmp:
		t := in.Args[0].Type
		k := t.Scalar().Kind
		c.check(t.Equal(in.Args[1].Type) && (k == Int || k == Ptr) && in.Pred <= SLE, "comparison of %v", t)
		c.check(in.Type.Scalar().Equal(I1) && in.Type.Kind == Vector == (t.Kind == Vector) && in.Type.Len == t.Len, "result of %v", in.Type)
	case Select:
		cond := in.Args[0].Type
		c.check(cond.Scalar().Equal(I1) && (cond.Kind != Vector || cond.Len == in.Type.Len), "condition of %v", cond)
		c.check(c.all(in.Args[1:], in.Type), "choices of %v", in.Type)
	case Freeze:
		c.check(c.all(in.Args, in.Type), "freeze of %v", in.Type)
	case Phi:
		c.phi(in)
	case ExtractValue, InsertValue:
		c.path(in)
	case ExtractElement, InsertElement, ShuffleVector:
		c.vector(in)
	case Call:
		c.call(in)
	case Unsupported:
		c.check(in.Text != "", "nothing said")
	}
}

func (c *checker) phi(in *Inst) {
	c.check(c.all(in.Args, in.Type) && len(in.Args) > 0, "values of %v", in.Type)
	first := c.inst == 0 || c.fn.Blocks[c.block].Insts[c.inst-1].Op == Phi
	c.check(first, "phi after another instruction")
	edges := map[int]int{}
	for b, block := range c.fn.Blocks {
		last := block.Insts[len(block.Insts)-1]
		for _, t := range last.Targets {
			if t == c.block {
				edges[b]++
			}
		}
	}
	for _, from := range in.Targets {
		edges[from]--
	}
	for from, n := range edges {
		if n != 0 {
			c.check(false, "values do not match the edges from block %d", from)
			return
		}
	}
}

func (c *checker) path(in *Inst) {
	t := in.Args[0].Type
	if !c.check(len(in.Path) > 0, "no path") {
		return
	}
	for _, i := range in.Path {
		if t.Kind != Struct && t.Kind != Array || t.Field(i) == nil {
			c.errorf("no field %d of %v", i, t)
			return
		}
		t = t.Field(i)
	}
	if in.Op == InsertValue {
		c.check(in.Args[1].Type.Equal(t), "element of %v", in.Args[1].Type)
		t = in.Args[0].Type
	}
	c.check(in.Type.Equal(t), "result of %v", in.Type)
}

func (c *checker) vector(in *Inst) {
	t := in.Args[0].Type
	if !c.check(t.Kind == Vector, "%v is no vector", t) {
		return
	}
	last := in.Args[len(in.Args)-1].Type
	switch in.Op {
	case ExtractElement:
		c.check(in.Type.Equal(t.Elem) && last.Kind == Int, "element of %v", t)
	case InsertElement:
		c.check(in.Type.Equal(t) && in.Args[1].Type.Equal(t.Elem) && last.Kind == Int, "element of %v", t)
	case ShuffleVector:
		c.check(last.Equal(t) && in.Type.Kind == Vector && in.Type.Len == len(in.Path) && in.Type.Elem.Equal(t.Elem), "lanes of %v", t)
		for _, lane := range in.Path {
			c.check(lane >= -1 && lane < 2*t.Len, "lane %d", lane)
		}
	}
}

// call checks the call site. That callee and call site agree is not demanded:
// it is undefined behaviour that the engine reports when it comes to the call.
func (c *checker) call(in *Inst) {
	if !c.check(in.CallSig != nil && len(in.Args) == 1+len(in.CallSig.Params), "operands and signature do not match") {
		return
	}
	c.sig(in.CallSig)
	c.check(in.Type.Equal(in.CallSig.Ret.Type), "result of %v", in.Type)
	c.check(in.Args[0].Type.Kind == Ptr, "callee of %v", in.Args[0].Type)
	for i := range in.CallSig.Params {
		c.check(in.Args[1+i].Type.Equal(in.CallSig.Params[i].Type), "argument %d", i)
	}
}
