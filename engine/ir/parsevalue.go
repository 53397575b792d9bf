package ir

import "math/big"

// typed reads a type and a value of it.
func (p *parser) typed() Value { return p.value(p.typ()) }

// value reads a value of type t.
func (p *parser) value(t *Type) Value {
	p.enter()
	defer p.leave()
	v := Value{Type: t}
	switch p.tok.kind {
	case tokLocal:
		return p.local(t)
	case tokGlobal:
		return p.address(t)
	case tokNumber:
		return p.constInt(t)
	case '{', '[', '<':
		return p.aggregate(t)
	case tokWord:
		return p.valueWord(t)
	}
	p.fail("%v where a value is wanted", p.tok)
	return v
}

var valueWords = map[string]ValueKind{"null": Null, "poison": Poison, "undef": Undef, "zero": Zero}

func (p *parser) valueWord(t *Type) Value {
	v := Value{Type: t}
	kind, ok := valueWords[p.tok.text]
	switch {
	case ok:
		p.advance()
		v.Kind = kind
	case t.Kind == Int && t.Bits == 1 && p.acceptWord("true"):
		v.Kind, v.Big = ConstInt, big.NewInt(1)
	case t.Kind == Int && t.Bits == 1 && p.acceptWord("false"):
		v.Kind, v.Big = ConstInt, new(big.Int)
	case p.acceptWord("addr"):
		p.expect('(')
		v.Kind, v.Elems = AddrInt, []Value{p.address(PtrType)}
		p.expect(')')
	case p.acceptWord("asm"):
		v.Kind, v.Asm = AsmRef, &Asm{SideEffect: p.acceptWord("sideeffect")}
		v.Asm.Template = p.str("a template")
		v.Asm.Constraints = p.str("constraints")
	default:
		p.fail("%v where a value of type %v is wanted", p.tok, t)
	}
	return v
}

// constInt reads an integer, or an address given as one.
func (p *parser) constInt(t *Type) Value {
	at := p.tok
	n := p.bigNumber("an integer")
	width := t.Bits
	if t.Kind == Ptr {
		width = 64
	}
	if t.Kind != Int && t.Kind != Ptr || !normalize(n, width) {
		p.failAt(at, "%s is not of type %v", at.text, t)
	}
	if t.Kind == Ptr && n.Sign() == 0 {
		return Value{Kind: Null, Type: t}
	}
	return Value{Kind: ConstInt, Type: t, Big: n}
}

// address reads @name, @name+8 or @name-8.
func (p *parser) address(t *Type) Value {
	at := p.tok
	name := p.take(tokGlobal, "a name")
	v, ok := p.symbols[name]
	if !ok {
		p.failAt(at, "@%s is not defined", name)
	}
	v.Type = t
	if p.accept('+') {
		v.Off = p.number("an offset", 0, MaxObject)
	} else if p.is(tokNumber) && p.tok.text[0] == '-' {
		v.Off = p.number("an offset", -MaxObject, 0)
	}
	return v
}

func (p *parser) aggregate(t *Type) Value {
	v := Value{Kind: Aggregate, Type: t}
	end := map[rune]rune{'{': '}', '[': ']', '<': '>'}[p.tok.kind]
	p.advance()
	p.list(end, func() { v.Elems = append(v.Elems, p.typed()) })
	return v
}
