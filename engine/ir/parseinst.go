package ir

var opByName = func() map[string]Op {
	m := map[string]Op{}
	for op, name := range opNames {
		if name != "" && Op(op) != CondBr {
			m[name] = Op(op)
		}
	}
	return m
}()

func (p *parser) instruction() *Inst {
	in := &Inst{Result: -1, Type: VoidType}
	result := token{}
	if p.is(tokLocal) {
		result = p.tok
		p.advance()
		p.expect('=')
	}
	op, ok := opByName[p.tok.text]
	if !ok || !p.is(tokWord) {
		p.fail("%v where an instruction is wanted", p.tok)
		return in
	}
	p.advance()
	in.Op = op
	in.Flags = p.flags()
	p.operands(in)
	if result.text != "" {
		p.defineResult(in, result)
	}
	return in
}

func (p *parser) defineResult(in *Inst, at token) {
	id := p.fn.regs.id(at)
	switch {
	case in.Type.Kind == Void || in.Op == Store:
		p.failAt(at, "%v has no result", in.Op)
	case p.fn.regs.def[id] >= 0:
		p.failAt(at, "%v is defined twice", at)
	default:
		in.Result = len(p.fn.types)
		p.fn.regs.def[id] = in.Result
		p.fn.types = append(p.fn.types, in.Type)
	}
}

func (p *parser) flags() Flags {
	var flags Flags
	for p.is(tokWord) {
		i := index(flagNames[:], p.tok.text)
		if i < 0 {
			break
		}
		flags |= 1 << i
		p.advance()
	}
	return flags
}

func (p *parser) operands(in *Inst) {
	switch {
	case in.Op.IsTerminator():
		p.terminator(in)
	case in.Op.IsBinary():
		p.pair(in)
		in.Type = in.Args[0].Type
	case in.Op.IsCast():
		in.Args = []Value{p.typed()}
		p.expectWord("to")
		in.Type = p.typ()
	case in.Op >= Alloca && in.Op <= AtomicRMW:
		p.memory(in)
	default:
		p.other(in)
	}
}

// pair reads two operands of one type.
func (p *parser) pair(in *Inst) {
	t := p.typ()
	in.Args = []Value{p.value(t), {}}
	p.expect(',')
	in.Args[1] = p.value(t)
}

// values reads n typed values.
func (p *parser) values(in *Inst, n int) {
	for i := range n {
		if i > 0 {
			p.expect(',')
		}
		in.Args = append(in.Args, p.typed())
	}
}

func (p *parser) targets(in *Inst) {
	p.expect('[')
	p.list(']', func() { in.Targets = append(in.Targets, p.label()) })
}

func (p *parser) terminator(in *Inst) {
	switch in.Op {
	case Ret:
		if !p.acceptWord("void") {
			p.values(in, 1)
		}
	case Br:
		p.branch(in)
	case Switch:
		p.switchInst(in)
	case CallBr:
		p.call(in)
		p.expectWord("to")
		in.Targets = append(in.Targets, p.label())
		p.targets(in)
	case IndirectBr:
		p.values(in, 1)
		p.expect(',')
		p.targets(in)
	}
}

func (p *parser) branch(in *Inst) {
	if p.is(tokWord) && p.tok.text == "i1" && p.ahead.kind != ':' && p.ahead.kind != '}' && p.ahead.kind != tokEOF {
		in.Op = CondBr
		p.values(in, 1)
		p.expect(',')
		in.Targets = append(in.Targets, p.label())
		p.expect(',')
	}
	in.Targets = append(in.Targets, p.label())
}

func (p *parser) switchInst(in *Inst) {
	p.values(in, 1)
	p.expect('[')
	p.list(']', func() {
		in.Cases = append(in.Cases, p.value(in.Args[0].Type))
		p.expect(':')
		in.Targets = append(in.Targets, p.label())
	})
	p.expect(',')
	in.Targets = append(in.Targets, p.label())
}

func (p *parser) memory(in *Inst) {
	natural := int64(1)
	switch in.Op {
	case Alloca:
		natural = p.alloca(in)
	case Load:
		in.Type = p.typ()
		in.Meta = p.attr(in.Type)
		p.expect(',')
		p.values(in, 1)
		natural = in.Type.Align()
	case Store:
		p.values(in, 2)
		in.Type = in.Args[0].Type
		natural = in.Type.Align()
	case GEP:
		p.gep(in)
		return
	case Fence:
		in.Ordering = p.ordering()
		return
	case CmpXchg:
		p.values(in, 3)
		in.Type = StructType(in.Args[1].Type, I1)
		natural = in.Args[1].Type.Align()
	case AtomicRMW:
		in.RMW = p.word("an operation")
		p.values(in, 2)
		in.Type = in.Args[1].Type
		natural = in.Type.Align()
	}
	if in.Op != Alloca {
		in.Ordering = p.ordering()
		in.FailOrd = p.ordering()
	}
	in.Align = p.alignOr(natural)
}

func (p *parser) ordering() string {
	text := p.tok.text
	if p.is(tokWord) && p.ahead.kind != ':' && orderings[text] {
		p.advance()
		return text
	}
	return ""
}

// alignOr reads ", align N", which may be left out for the natural alignment.
func (p *parser) alignOr(natural int64) int64 {
	if p.is(',') && p.ahead.kind == tokWord && p.ahead.text == "align" {
		p.advance()
		p.advance()
		return p.align()
	}
	return natural
}

// alloca reads "16" or a type, and the number of elements if it is not constant.
func (p *parser) alloca(in *Inst) (natural int64) {
	in.Type = PtrType
	natural = 1
	if p.is(tokNumber) {
		in.Size = p.number("a size", 0, MaxObject)
	} else {
		t := p.typ()
		in.Size, natural = t.Size(), t.Align()
	}
	if p.is(',') && p.ahead.text != "align" {
		p.advance()
		p.values(in, 1)
	}
	return natural
}

func (p *parser) gep(in *Inst) {
	in.Type = PtrType
	p.values(in, 1)
	for first := true; p.accept(','); first = false {
		if first && p.is(tokNumber) {
			in.Off = p.number("an offset", -MaxObject, MaxObject)
			continue
		}
		in.Args = append(in.Args, p.typed())
		p.expect('*')
		in.Scales = append(in.Scales, p.number("a scale", -MaxObject, MaxObject))
	}
}

func (p *parser) other(in *Inst) {
	switch in.Op {
	case ICmp:
		pred := index(predNames[:], p.word("a predicate"))
		if pred < 0 {
			p.fail("unknown predicate before %v", p.tok)
			pred = 0
		}
		in.Pred = Pred(pred)
		p.pair(in)
		in.Type = I1
		if t := in.Args[0].Type; t.Kind == Vector {
			in.Type = &Type{Kind: Vector, Len: t.Len, Elem: I1}
		}
	case Phi:
		p.phi(in)
	case Call:
		p.call(in)
	case Unsupported:
		in.Type = p.typ()
		in.Text = p.str("what is not supported")
	default:
		p.parts(in)
	}
}

// parts reads select, freeze and the instructions that take aggregates and
// vectors apart.
func (p *parser) parts(in *Inst) {
	n := map[Op]int{Select: 3, Freeze: 1, ExtractValue: 1, InsertValue: 2,
		ExtractElement: 2, InsertElement: 3, ShuffleVector: 2}[in.Op]
	p.values(in, n)
	if p.failed() {
		return
	}
	switch in.Op {
	case ExtractValue, InsertValue:
		for p.accept(',') {
			in.Path = append(in.Path, int(p.number("a field", 0, MaxObject)))
		}
	case ShuffleVector:
		p.expect(',')
		p.expect('[')
		p.list(']', func() { in.Path = append(in.Path, int(p.number("a lane", -1, 1<<20))) })
	}
	in.Type = p.partType(in)
}

func (p *parser) partType(in *Inst) *Type {
	t := in.Args[0].Type
	switch in.Op {
	case Select:
		return in.Args[1].Type
	case ExtractElement:
		return t.Scalar()
	case ShuffleVector:
		if t.Kind != Vector || len(in.Path) == 0 {
			p.fail("shuffle of %v to %d lanes", t, len(in.Path))
			return t
		}
		return &Type{Kind: Vector, Len: len(in.Path), Elem: t.Elem}
	case ExtractValue:
		for _, i := range in.Path {
			if t = t.Field(i); t == nil {
				p.fail("no field %d", i)
				return VoidType
			}
		}
	}
	return t
}

func (p *parser) phi(in *Inst) {
	in.Type = p.typ()
	for first := true; first || p.accept(','); first = false {
		p.expect('[')
		in.Args = append(in.Args, p.value(in.Type))
		p.expect(',')
		in.Targets = append(in.Targets, p.label())
		p.expect(']')
	}
}

func (p *parser) call(in *Inst) {
	sig := &Sig{Variadic: p.acceptWord("variadic")}
	sig.Ret = p.param()
	in.Type = sig.Ret.Type
	in.Args = []Value{p.value(PtrType)}
	p.expect('(')
	p.list(')', func() {
		param := p.param()
		sig.Params = append(sig.Params, param)
		in.Args = append(in.Args, p.value(param.Type))
	})
	sig.NoReturn = p.ahead.kind != ':' && p.acceptWord("noreturn")
	in.CallSig = sig
}
