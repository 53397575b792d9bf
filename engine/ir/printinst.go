package ir

import "bytes"

// Keep keeps the text of in, which is in many slices and does not change any more: it names none of the
// slice's globals, externs and functions.
func (in *Inst) Keep() {
	var p printer
	p.inst(in)
	in.text = bytes.Clone(p.b)
}

func (p *printer) inst(in *Inst) {
	if in.text != nil {
		p.b = append(p.b, in.text...)
		return
	}
	if in.Result >= 0 {
		p.s("%")
		p.n(int64(in.Result))
		p.s(" = ")
	}
	p.s(in.Op.String())
	for i, name := range flagNames {
		if in.Flags&(1<<i) != 0 {
			p.word(name)
		}
	}
	switch {
	case in.Op.IsTerminator():
		p.terminator(in)
	case in.Op.IsBinary():
		p.s(" ")
		p.pair(in.Args)
	case in.Op.IsCast():
		p.s(" ")
		p.typed(&in.Args[0])
		p.s(" to ")
		p.typ(in.Type)
	case in.Op >= Alloca && in.Op <= AtomicRMW:
		p.memory(in)
	default:
		p.other(in)
	}
}

// pair writes two operands of one type, which is written once.
func (p *printer) pair(args []Value) {
	p.typed(&args[0])
	p.s(", ")
	p.value(&args[1])
}

func (p *printer) label(i int) {
	p.s("b")
	p.n(int64(i))
}

func (p *printer) labels(targets []int) {
	p.s("[")
	for i, t := range targets {
		p.comma(i)
		p.label(t)
	}
	p.s("]")
}

func (p *printer) terminator(in *Inst) {
	switch in.Op {
	case Ret:
		if len(in.Args) == 0 {
			p.s(" void")
			return
		}
		p.s(" ")
		p.typed(&in.Args[0])
	case Br:
		p.s(" ")
		p.label(in.Targets[0])
	case CondBr:
		p.s(" ")
		p.typed(&in.Args[0])
		p.s(", ")
		p.label(in.Targets[0])
		p.s(", ")
		p.label(in.Targets[1])
	case Switch:
		p.switchInst(in)
	case CallBr:
		p.call(in)
		p.s(" to ")
		p.label(in.Targets[0])
		p.s(" ")
		p.labels(in.Targets[1:])
	case IndirectBr:
		p.s(" ")
		p.typed(&in.Args[0])
		p.s(", ")
		p.labels(in.Targets)
	}
}

func (p *printer) switchInst(in *Inst) {
	p.s(" ")
	p.typed(&in.Args[0])
	p.s(" [")
	for i := range in.Cases {
		p.comma(i)
		p.value(&in.Cases[i])
		p.s(": ")
		p.label(in.Targets[i])
	}
	p.s("], ")
	p.label(in.Targets[len(in.Cases)])
}

func (p *printer) memory(in *Inst) {
	p.s(" ")
	switch in.Op {
	case Alloca:
		p.n(in.Size)
		if len(in.Args) > 0 {
			p.s(", ")
			p.typed(&in.Args[0])
		}
	case Load:
		p.typ(in.Type)
		p.attr(&in.Meta)
		p.s(", ")
		p.values(in.Args)
	case GEP:
		p.gep(in)
		return
	case Fence:
		p.s(in.Ordering)
		return
	case AtomicRMW:
		p.s(in.RMW)
		p.s(" ")
		p.values(in.Args)
	default: // Store, CmpXchg
		p.values(in.Args)
	}
	p.ordering(in.Ordering)
	p.ordering(in.FailOrd)
	p.s(", align ")
	p.n(in.Align)
}

func (p *printer) ordering(o string) {
	if o != "" {
		p.word(o)
	}
}

func (p *printer) gep(in *Inst) {
	p.typed(&in.Args[0])
	if in.Off != 0 || len(in.Scales) == 0 {
		p.s(", ")
		p.n(in.Off)
	}
	for i, scale := range in.Scales {
		p.s(", ")
		p.typed(&in.Args[1+i])
		p.s(" * ")
		p.n(scale)
	}
}

func (p *printer) other(in *Inst) {
	p.s(" ")
	switch in.Op {
	case ICmp:
		p.s(in.Pred.String())
		p.s(" ")
		p.pair(in.Args)
	case Phi:
		p.phi(in)
	case Call:
		p.b = p.b[:len(p.b)-1]
		p.call(in)
	case Unsupported:
		p.typ(in.Type)
		p.s(" ")
		p.quote([]byte(in.Text))
	default:
		p.values(in.Args)
		p.path(in)
	}
}

func (p *printer) path(in *Inst) {
	switch in.Op {
	case ExtractValue, InsertValue:
		for _, i := range in.Path {
			p.s(", ")
			p.n(int64(i))
		}
	case ShuffleVector:
		p.s(", [")
		for i, m := range in.Path {
			p.comma(i)
			p.n(int64(m))
		}
		p.s("]")
	}
}

func (p *printer) phi(in *Inst) {
	p.typ(in.Type)
	for i := range in.Args {
		if i > 0 {
			p.s(",")
		}
		p.s(" [")
		p.value(&in.Args[i])
		p.s(", ")
		p.label(in.Targets[i])
		p.s("]")
	}
}

func (p *printer) call(in *Inst) {
	if in.CallSig.Variadic {
		p.s(" variadic")
	}
	p.s(" ")
	p.param(in.CallSig.Ret)
	p.s(" ")
	p.value(&in.Args[0])
	p.s("(")
	for i := range in.Args[1:] {
		p.comma(i)
		p.param(in.CallSig.Params[i])
		p.s(" ")
		p.value(&in.Args[1+i])
	}
	p.s(")")
	if in.CallSig.NoReturn {
		p.s(" noreturn")
	}
}
