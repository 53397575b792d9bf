package ir

import (
	"errors"
	"fmt"
)

// LocSize is the size in bytes of a core::panic::Location.
const LocSize = 24

// Sanity checks everything that a reader of a slice may rely on; README.md lists
// it. The error names the place; it does not stop at the first one.
func Sanity(s *Slice) error {
	c := &checker{slice: s}
	c.outside()
	for i, f := range s.Funcs {
		c.function(i, f)
	}
	c.inputs()
	return errors.Join(c.errs...)
}

// SanityOutside is Sanity but for the functions. SanityFunc is what it leaves out, for f as function i of s: whoever puts one
// function into many slices need not have it checked in each.
func SanityOutside(s *Slice) error {
	c := &checker{slice: s}
	c.outside()
	c.inputs()
	return errors.Join(c.errs...)
}

// SanityFunc checks f, which stands at i in s and need not be there.
func SanityFunc(s *Slice, i int, f *Func) error {
	c := &checker{slice: s}
	c.function(i, f)
	return errors.Join(c.errs...)
}

// maxErrors is the number of errors after which Sanity stops collecting.
const maxErrors = 20

type checker struct {
	slice *Slice
	place string
	errs  []error

	fn    *Func
	defs  []def // by register
	block int
	inst  int // within the block
	op    Op  // of that instruction, OpInvalid between instructions
}

func (c *checker) errorf(format string, args ...any) {
	if len(c.errs) >= maxErrors {
		return
	}
	msg := fmt.Sprintf(format, args...)
	if c.op != OpInvalid {
		msg = fmt.Sprintf("block %d inst %d %v: %s", c.block, c.inst, c.op, msg)
	}
	if c.place != "" {
		msg = c.place + ": " + msg
	}
	c.errs = append(c.errs, errors.New(msg))
}

// check records an error unless ok.
func (c *checker) check(ok bool, format string, args ...any) bool {
	if !ok {
		c.errorf(format, args...)
	}
	return ok
}

// outside checks what comes before the functions.
func (c *checker) outside() {
	s := c.slice
	if s.Arch != "" && s.Arch != "x86_64" && s.Arch != "aarch64" {
		c.errorf("arch %q is neither x86_64 nor aarch64", s.Arch)
	}
	if s.Root != 0 || len(s.Funcs) == 0 {
		c.errorf("the root is not the first function")
	}
	c.globals()
	for i, e := range s.Externs {
		c.place = fmt.Sprintf("extern %d", i)
		c.extern(e)
	}
}

func (c *checker) globals() {
	locs := 0
	for i, g := range c.slice.Globals {
		c.place = fmt.Sprintf("global %d", i)
		c.check(isAlign(g.Align), "alignment %d", g.Align)
		switch {
		case g.Loc != 0:
			locs++
			c.check(g.Loc == locs, "location %d where %d is next", g.Loc-1, locs-1)
			c.check(g.Size == LocSize && g.Align == 8 && g.Const && !g.External && g.plain(), "location with content")
		case g.External:
			c.check(g.plain() && g.Size >= 0 && g.Size <= MaxObject, "external object with content")
		default:
			c.check(int64(len(g.Data)) == g.Size, "%d bytes of data in %d", len(g.Data), g.Size)
			c.parts(g)
		}
	}
}

func isAlign(n int64) bool { return n > 0 && n&(n-1) == 0 && n <= 1<<32 }

// plain reports whether g has no content.
func (g *Global) plain() bool { return len(g.Data)+len(g.Relocs)+len(g.Undef) == 0 }

func (c *checker) parts(g *Global) {
	end := int64(0)
	lastUndef := int64(-1)
	for _, part := range g.parts() {
		ok := part.size > 0 && part.at >= end && part.size <= g.Size-part.at
		if !c.check(ok, "part of %d bytes at %d of %d overlaps or is outside", part.size, part.at, g.Size) {
			return
		}
		end = part.at + part.size
		for _, b := range g.Data[part.at:end] {
			if !c.check(b == 0, "data under the part at %d", part.at) {
				break
			}
		}
		if part.target == nil {
			c.check(part.at != lastUndef, "undef ranges that touch at %d", part.at)
			lastUndef = end
			continue
		}
		c.check(addrPrefix[part.target.Kind] != "", "pointer at %d is no address", part.at)
		c.constant(part.target)
	}
}

func (c *checker) extern(e *Extern) {
	c.check(e.Omitted || e.Symbol != "", "no symbol")
	c.check(!e.Omitted || e.Symbol+e.Panic == "", "function that is left out, with a symbol")
	c.check(e.Panic == "" || e.Sig.NoReturn, "panic entry that returns")
	c.check(e.Panic == "" || isWord(e.Panic), "panic kind %q", e.Panic)
	c.sig(&e.Sig)
}

func isWord(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return s != "" && !isDigit(s[0])
}

func (c *checker) sig(sig *Sig) {
	c.typ(sig.Ret.Type)
	c.attr(&sig.Ret)
	for i := range sig.Params {
		c.dataType(sig.Params[i].Type)
		c.attr(&sig.Params[i])
	}
}

func (c *checker) attr(p *Param) {
	a := &p.Attr
	c.check(a.Align == 0 || isAlign(a.Align), "alignment %d", a.Align)
	c.check(a.Deref >= 0 && a.DerefOrNull >= 0, "negative size")
	if a.RangeLo == nil || a.RangeHi == nil {
		c.check(a.RangeLo == a.RangeHi, "half a range")
		return
	}
	t := p.Type.Scalar()
	ok := t.Kind == Int && a.RangeLo.Sign() >= 0 && a.RangeHi.Sign() >= 0 &&
		a.RangeLo.BitLen() <= t.Bits && a.RangeHi.BitLen() <= t.Bits
	c.check(ok, "range %v..%v of %v", a.RangeLo, a.RangeHi, t)
}

// typ checks that t is well formed.
func (c *checker) typ(t *Type) bool {
	if !c.check(t != nil && t.Kind <= Float, "no type") {
		return false
	}
	switch t.Kind {
	case Int, Float:
		return c.check(t.Bits > 0 && t.Bits <= MaxBits, "width %d", t.Bits)
	case Array, Vector:
		return c.check(t.Len >= 0, "length %d", t.Len) && c.dataType(t.Elem)
	case Struct:
		for _, e := range t.Elems {
			if !c.dataType(e) {
				return false
			}
		}
	}
	return true
}

// dataType checks that t is well formed and not void.
func (c *checker) dataType(t *Type) bool {
	return c.typ(t) && c.check(t.Kind != Void, "void value")
}

func (c *checker) inputs() {
	spec := c.slice.Inputs
	if spec == nil || len(c.slice.Funcs) == 0 {
		return
	}
	c.place = "inputs"
	sig := &c.slice.Funcs[0].Sig
	if !c.check(len(spec.Params) == len(sig.Params), "%d shapes for %d parameters", len(spec.Params), len(sig.Params)) {
		return
	}
	for i := range spec.Params {
		want := sig.Params[i].Type.StoreSize()
		c.check(spec.Params[i].Size == want, "parameter %d has %d bytes, its shape %d", i, want, spec.Params[i].Size)
		c.check(spec.Params[i].Off == 0, "parameter %d has an offset", i)
		c.shape(&spec.Params[i])
	}
	c.iterators(spec.Params, 0)
}

// iterators checks that the first and the end pointer of each come together, the latter at the given distance.
func (c *checker) iterators(shapes []Shape, apart int64) {
	for i := range shapes {
		if shapes[i].Kind == ShapeIter {
			c.check(i+1 < len(shapes) && shapes[i+1].Kind == ShapeIterEnd && shapes[i+1].Off == shapes[i].Off+apart, "iterator without an end")
		}
		if shapes[i].Kind == ShapeIterEnd {
			c.check(i > 0 && shapes[i-1].Kind == ShapeIter, "end of no iterator")
		}
	}
}

func (c *checker) shape(s *Shape) {
	c.check(isAlign(s.Align), "alignment %d", s.Align)
	c.check(s.Size >= 0 && s.Size <= MaxObject, "size %d", s.Size)
	c.check(s.Kind != ShapeRange || len(s.Ranges) > 0, "range without values")
	c.check(s.Kind != ShapeEnum || len(s.Fields) > 0, "enum without a tag")
	c.check(s.Kind != ShapeIter || s.Elem != nil && s.Elem.Size > 0, "iterator of elements without a size")
	c.check(!s.Whole || s.Kind == ShapeRawPtr && s.Elem != nil && s.Elem.Size <= MaxWhole, "%v of a whole object", s.Kind)
	c.check(!s.Unset || s.Kind == ShapeBits || s.Kind == ShapeOpaque, "%v that may be uninitialised", s.Kind)
	c.spans(s.Ranges)
	if s.Elem != nil {
		c.shape(s.Elem)
	}
	c.fields(s.Fields, s.Size)
	for i := range s.Variants {
		c.spans(s.Variants[i].Tags)
		c.fields(s.Variants[i].Fields, s.Size)
	}
}

func (c *checker) spans(spans []Span) {
	for _, s := range spans {
		c.check(s.Lo.Sign() >= 0 && s.Lo.Cmp(s.Hi) <= 0, "range %v..=%v", s.Lo, s.Hi)
	}
}

func (c *checker) fields(fields []Shape, size int64) {
	for i := range fields {
		f := &fields[i]
		c.check(f.Off >= 0 && f.Size <= size-f.Off, "field of %d bytes at %d of %d", f.Size, f.Off, size)
		c.shape(f)
	}
	c.iterators(fields, 8)
}
