package ir

import "strconv"

func (p *parser) typ() *Type {
	p.enter()
	defer p.leave()
	at := p.tok
	t := p.anyType()
	if t.Kind == Struct || t.Kind == Array || t.Kind == Vector {
		if size := t.Size(); size < 0 || size > MaxObject {
			p.failAt(at, "type is larger than %d bytes", int64(MaxObject))
		}
	}
	return t
}

func (p *parser) anyType() *Type {
	switch {
	case p.acceptWord("void"):
		return VoidType
	case p.acceptWord("ptr"):
		return PtrType
	case p.is(tokWord):
		return p.scalarType()
	case p.accept('{'):
		return p.structType(false)
	case p.accept('['):
		return p.arrayType(Array, ']')
	case p.accept('<'):
		if p.accept('{') {
			t := p.structType(true)
			p.expect('>')
			return t
		}
		return p.arrayType(Vector, '>')
	}
	p.fail("%v where a type is wanted", p.tok)
	return VoidType
}

func (p *parser) scalarType() *Type {
	text := p.tok.text
	bits, err := strconv.Atoi(text[1:])
	if err != nil || bits < 1 || bits > MaxBits || text[1] == '0' || text[0] != 'i' && text[0] != 'f' {
		p.fail("%v where a type is wanted", p.tok)
		return VoidType
	}
	p.advance()
	if text[0] == 'f' {
		return &Type{Kind: Float, Bits: bits}
	}
	return IntType(bits)
}

func (p *parser) structType(packed bool) *Type {
	t := &Type{Kind: Struct, Packed: packed}
	p.list('}', func() { t.Elems = append(t.Elems, p.elemType()) })
	if len(t.Elems) > MaxFields {
		p.fail("struct of %d fields", len(t.Elems))
		t.Elems = nil
	}
	return t
}

func (p *parser) arrayType(kind Kind, end rune) *Type {
	t := &Type{Kind: kind}
	t.Len = int(p.number("a length", 0, MaxObject))
	p.expectWord("x")
	t.Elem = p.elemType()
	p.expect(end)
	if kind == Vector && (t.Len == 0 || t.Elem.Kind != Int && t.Elem.Kind != Ptr && t.Elem.Kind != Float) {
		p.fail("vector of %v", t.Elem)
	}
	if size := t.Elem.Size(); size > 0 && int64(t.Len) > MaxObject/size {
		t.Len = 0
		p.fail("type is larger than %d bytes", int64(MaxObject))
	}
	return t
}

func (p *parser) elemType() *Type {
	t := p.typ()
	if t.Kind == Void {
		p.fail("void within a type")
		return I8
	}
	return t
}
