package ir

func (p *parser) inputs() *RootSpec {
	spec := &RootSpec{}
	p.expect('{')
	for !p.accept('}') && !p.failed() {
		spec.Params = append(spec.Params, p.shape())
	}
	return spec
}

func (p *parser) shape() Shape {
	p.enter()
	defer p.leave()
	s := Shape{}
	kind := index(shapeNames[:], p.tok.text)
	if kind < 0 || !p.is(tokWord) {
		p.fail("%v where a shape is wanted", p.tok)
		return s
	}
	p.advance()
	s.Kind = ShapeKind(kind)
	switch {
	case s.Kind.isPointer():
		p.pointerShape(&s)
	case s.Kind == ShapeSliceLen || s.Kind == ShapeIterEnd:
		s.Size, s.Align = 8, 8
	case s.Kind == ShapeArray:
		p.arrayShape(&s)
	default:
		p.sizedShape(&s)
	}
	return s
}

func (p *parser) pointerShape(s *Shape) {
	s.Size, s.Align = 8, 8
	s.Mut = p.acceptWord("mut")
	s.Null = p.acceptWord("null")
	s.Whole = p.acceptWord("whole")
	if s.Kind != ShapeStr {
		elem := p.shape()
		s.Elem = &elem
	}
}

func (p *parser) arrayShape(s *Shape) {
	s.Len = p.number("a length", 0, MaxObject)
	elem := p.shape()
	s.Elem = &elem
	s.Align = elem.Align
	if elem.Size > 0 && s.Len > MaxObject/elem.Size {
		p.fail("array is larger than %d bytes", int64(MaxObject))
		return
	}
	s.Size = s.Len * elem.Size
}

func (p *parser) sizedShape(s *Shape) {
	s.Size = p.number("a size", 0, MaxObject)
	s.Align = 1
	if p.acceptWord("align") {
		s.Align = p.align()
	}
	switch s.Kind {
	case ShapeBits, ShapeOpaque:
		s.Unset = p.acceptWord("unset")
	case ShapeRange:
		s.Ranges = p.spans()
	case ShapeStruct:
		s.Fields = p.fields()
	case ShapeEnum:
		s.Fields = p.fields()
		for p.accept('|') {
			v := Variant{Tags: p.spans()}
			v.Fields = p.fields()
			s.Variants = append(s.Variants, v)
		}
	}
}

func (p *parser) spans() []Span {
	var spans []Span
	p.expect('[')
	p.list(']', func() {
		lo := p.bigNumber("a range")
		if text := p.take(tokRange, "..="); text != "..=" && !p.failed() {
			p.fail("ranges of a shape are inclusive: lo..=hi")
		}
		spans = append(spans, Span{Lo: lo, Hi: p.bigNumber("a range")})
	})
	return spans
}

func (p *parser) fields() []Shape {
	var fields []Shape
	p.expect('{')
	p.list('}', func() {
		off := p.number("an offset", 0, MaxObject)
		p.expect(':')
		field := p.shape()
		field.Off = off
		fields = append(fields, field)
	})
	return fields
}
