package ir

func (p *printer) inputs(spec *RootSpec) {
	p.s("\ninputs {\n")
	for i := range spec.Params {
		p.s("  ")
		p.shape(&spec.Params[i])
		p.s("\n")
	}
	p.s("}\n")
}

// isPointer reports whether the shape is 8 bytes that point to Elem.
func (k ShapeKind) isPointer() bool {
	return k == ShapeRef || k == ShapeRawPtr || k == ShapeSlicePtr || k == ShapeStr || k == ShapeIter
}

func (p *printer) shape(s *Shape) {
	p.s(s.Kind.String())
	switch {
	case s.Kind.isPointer():
		p.pointer(s)
		return
	case s.Kind == ShapeSliceLen || s.Kind == ShapeIterEnd:
		return
	case s.Kind == ShapeArray:
		p.f(" %d ", s.Len)
		p.shape(s.Elem)
		return
	}
	p.f(" %d align %d", s.Size, s.Align)
	if s.Unset {
		p.s(" unset")
	}
	switch s.Kind {
	case ShapeRange:
		p.s(" ")
		p.spans(s.Ranges)
	case ShapeStruct:
		p.fields(s.Fields)
	case ShapeEnum:
		p.fields(s.Fields)
		for i := range s.Variants {
			p.s(" | ")
			p.spans(s.Variants[i].Tags)
			p.fields(s.Variants[i].Fields)
		}
	}
}

func (p *printer) pointer(s *Shape) {
	if s.Mut {
		p.s(" mut")
	}
	if s.Null {
		p.s(" null")
	}
	if s.Whole {
		p.s(" whole")
	}
	if s.Kind != ShapeStr {
		p.s(" ")
		p.shape(s.Elem)
	}
}

func (p *printer) spans(spans []Span) {
	p.s("[")
	for i, s := range spans {
		p.comma(i)
		p.f("%v..=%v", s.Lo, s.Hi)
	}
	p.s("]")
}

func (p *printer) fields(fields []Shape) {
	p.s(" {")
	for i := range fields {
		p.comma(i)
		p.f("%d: ", fields[i].Off)
		p.shape(&fields[i])
	}
	p.s("}")
}
