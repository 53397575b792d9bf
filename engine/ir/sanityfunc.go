package ir

import "fmt"

// def is the place where a register gets its value; parameters have block -1.
type def struct{ block, inst int }

func (c *checker) function(i int, f *Func) {
	c.place = fmt.Sprintf("func %d", i)
	c.fn = f
	c.sig(&f.Sig)
	if !c.check(len(f.Blocks) > 0, "no blocks") || !c.registers(f) || !c.shapeOfBlocks(f) {
		return
	}
	doms := dominators(f)
	for b, block := range f.Blocks {
		c.block = b
		if !c.check(doms.reachable(b), "block %d cannot be reached", b) {
			continue
		}
		for i, in := range block.Insts {
			c.inst, c.op = i, in.Op
			c.instruction(in)
			c.dominance(in, doms)
		}
		c.op = OpInvalid
	}
}

// registers checks that registers are numbered in order of definition.
func (c *checker) registers(f *Func) bool {
	if !c.check(f.NumReg == len(f.Regs) && len(f.Regs) >= len(f.Sig.Params), "%d registers of %d types", f.NumReg, len(f.Regs)) {
		return false
	}
	c.defs = c.defs[:0]
	for i := range f.Sig.Params {
		c.check(f.Regs[i].Equal(f.Sig.Params[i].Type), "register %d is not of its parameter's type", i)
		c.defs = append(c.defs, def{-1, 0})
	}
	for b, block := range f.Blocks {
		for i, in := range block.Insts {
			if in.Result < 0 {
				continue
			}
			r := len(c.defs)
			if !c.check(in.Result == r && r < f.NumReg, "block %d inst %d defines register %d, %d is next", b, i, in.Result, r) ||
				!c.check(f.Regs[r].Equal(in.Type), "register %d is %v, its definition %v", r, f.Regs[r], in.Type) {
				return false
			}
			c.defs = append(c.defs, def{b, i})
		}
	}
	return c.check(len(c.defs) == f.NumReg, "%d registers of %d are defined", len(c.defs), f.NumReg)
}

// shapeOfBlocks checks terminators and targets.
func (c *checker) shapeOfBlocks(f *Func) bool {
	ok := true
	for b, block := range f.Blocks {
		last := len(block.Insts) - 1
		for i, in := range block.Insts {
			ends := in.Op.IsTerminator() || in.Op == Unsupported && i == last
			ok = c.check(ends == (i == last), "block %d: terminator and end do not agree at inst %d", b, i) && ok
			for _, t := range in.Targets {
				ok = c.check(t >= 0 && t < len(f.Blocks), "block %d inst %d: no block %d", b, i, t) && ok
			}
		}
		ok = c.check(last >= 0, "block %d is empty", b) && ok
	}
	return ok
}

func (c *checker) dominance(in *Inst, doms *domTree) {
	for i := range in.Args {
		v := &in.Args[i]
		if v.Kind != Reg || v.Index < 0 || v.Index >= len(c.defs) {
			continue
		}
		d := c.defs[v.Index]
		ok := false
		switch {
		case d.block < 0:
			ok = true
		case in.Op == Phi && i < len(in.Targets):
			ok = doms.dominates(d.block, in.Targets[i])
		case d.block == c.block:
			ok = d.inst < c.inst
		default:
			ok = doms.dominates(d.block, c.block)
		}
		c.check(ok, "register %d is used before it is defined", v.Index)
	}
}

// operand checks a value that an instruction uses.
func (c *checker) operand(v *Value) bool {
	if v.Kind == Reg {
		return c.check(v.Index >= 0 && v.Index < c.fn.NumReg, "no register %d", v.Index) &&
			c.check(v.Type.Equal(c.fn.Regs[v.Index]), "register %d is %v, used as %v", v.Index, c.fn.Regs[v.Index], v.Type)
	}
	return c.dataType(v.Type) && c.constant(v)
}

// constant checks a value that is not a register.
func (c *checker) constant(v *Value) bool {
	n := 0
	switch v.Kind {
	case ConstInt:
		width := v.Type.Bits
		if v.Type.Kind == Ptr {
			width = 64
		}
		return c.check(v.Big != nil && v.Big.Sign() >= 0 && v.Big.BitLen() <= width &&
			(v.Type.Kind == Int || v.Type.Kind == Ptr && v.Big.Sign() != 0), "integer %v of %v", v.Big, v.Type)
	case Null:
		return c.check(v.Type.Kind == Ptr, "null of %v", v.Type)
	case Poison, Undef:
		return true
	case Zero:
		return c.check(v.Type.Kind >= Struct && v.Type.Kind <= Vector, "zero of %v", v.Type)
	case GlobalAddr:
		n = len(c.slice.Globals)
	case FuncAddr:
		n = len(c.slice.Funcs)
	case ExternAddr:
		n = len(c.slice.Externs)
	case Aggregate:
		return c.aggregate(v)
	case AddrInt:
		return c.check(v.Type.Kind == Int && len(v.Elems) == 1 && addrPrefix[v.Elems[0].Kind] != "", "addr of %v", v.Type) &&
			c.constant(&v.Elems[0])
	case AsmRef:
		return c.check(v.Asm != nil && v.Type.Kind == Ptr, "assembly as %v", v.Type) &&
			c.check(c.slice.Arch != "", "assembly in a slice without an arch")
	default:
		return c.check(false, "register in a constant")
	}
	return c.check(v.Index >= 0 && v.Index < n && v.Type.Kind == Ptr, "no object %d of kind %d as %v", v.Index, v.Kind, v.Type)
}

func (c *checker) aggregate(v *Value) bool {
	if !c.check(v.Type.Kind >= Struct && v.Type.Kind <= Vector && len(v.Elems) == v.Type.NumFields(),
		"%d values in %v", len(v.Elems), v.Type) {
		return false
	}
	for i := range v.Elems {
		e := &v.Elems[i]
		if !c.check(e.Kind != Reg && e.Type.Equal(v.Type.Field(i)), "value %d of %v", i, v.Type) || !c.constant(e) {
			return false
		}
	}
	return true
}
