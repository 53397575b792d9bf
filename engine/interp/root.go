package interp

import (
	"fmt"
	"math/big"
	"math/bits"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// maxObject is how many bytes are held of an object that is made for an input. It may be larger.
const maxObject = 1 << 20

// pending is content that is made when an object is first looked into: types
// may refer to themselves.
type pending struct {
	name  string
	elem  *ir.Shape // nil: plain bytes
	count int64     // of elem, one after the other
}

// arguments makes the root's arguments.
func (m *machine) arguments(f *function) ([]slot, *Outcome) {
	params := m.prog.slice.Funcs[f.index].Sig.Params
	shapes := make([]*ir.Shape, len(params))
	for i := range params {
		shapes[i] = attributeShape(&params[i])
		if spec := m.prog.slice.Inputs; spec != nil && i < len(spec.Params) {
			shapes[i] = &spec.Params[i]
		}
	}
	out := make([]slot, f.args)
	for i, p := range params {
		at := f.params[i]
		if o := m.argument(fmt.Sprintf("arg%d", i), shapes[i], p, out[at.slot:at.slot+at.slots]); o != nil {
			return nil, o
		}
	}
	// Slices and their iterators come last: their length or end is the parameter that follows.
	for i, s := range shapes {
		if s.Kind == ir.ShapeIter {
			if i+1 >= len(params) || shapes[i+1].Kind != ir.ShapeIterEnd {
				return nil, m.unsupported("iterator without an end")
			}
			if o := m.iterator(fmt.Sprintf("arg%d", i), s, params[i].Attr.Align, &out[f.params[i].slot], &out[f.params[i+1].slot]); o != nil {
				return nil, o
			}
		}
		if !isSlice(s) {
			continue
		}
		if i+1 >= len(params) || f.params[i].slots != 1 {
			return nil, m.unsupported("slice without a length")
		}
		if o := m.pointee(fmt.Sprintf("arg%d", i), s, params[i].Attr.Align, out[f.params[i+1].slot].v, &out[f.params[i].slot]); o != nil {
			return nil, o
		}
	}
	return out, nil
}

// attributeShape is the shape of a parameter of which only the attributes are known.
func attributeShape(p *ir.Param) *ir.Shape {
	at := &p.Attr
	switch {
	case p.Type == nil || p.Type.Kind != ir.Ptr:
		return &ir.Shape{Kind: ir.ShapeBits}
	case at.SRet != nil:
		return &ir.Shape{Kind: ir.ShapeRef, Elem: &ir.Shape{Kind: ir.ShapeBits, Size: at.SRet.Size(), Align: 1}}
	}
	return &ir.Shape{Kind: ir.ShapeRawPtr, Null: !at.NonNull && at.Deref == 0}
}

func isSlice(s *ir.Shape) bool { return s.Kind == ir.ShapeSlicePtr || s.Kind == ir.ShapeStr }

func isIterator(s *ir.Shape) bool { return s.Kind == ir.ShapeIter || s.Kind == ir.ShapeIterEnd }

func isPointer(s *ir.Shape) bool {
	return s.Kind == ir.ShapeRef || s.Kind == ir.ShapeRawPtr || s.Kind == ir.ShapeOpaque || isSlice(s)
}

func (m *machine) argument(name string, shape *ir.Shape, p ir.Param, to []slot) *Outcome {
	if isSlice(shape) || isIterator(shape) {
		return nil // made with what follows
	}
	if p.Type != nil && p.Type.Kind == ir.Ptr {
		if !isPointer(shape) {
			return m.unsupported("pointer made from %v", name)
		}
		return m.pointee(name, shape, p.Attr.Align, uint64(max(p.Attr.Deref, p.Attr.DerefOrNull)), &to[0])
	}
	if isAggregate(p.Type) {
		return m.unsupported("argument of more than one scalar")
	}
	width := widthOf(p.Type)
	v, o := m.rootInput(name, int(width), spans(shape))
	if o != nil {
		return o
	}
	if v == nil {
		v = least(shape)
	}
	if !allowed(shape, v) {
		return m.badInput(fmt.Errorf("%s: %v is no value of its type", name, v))
	}
	put(to, v, width)
	return nil
}

// least is the least value of a shape.
func least(s *ir.Shape) *big.Int {
	if s.Kind == ir.ShapeStruct {
		all := new(big.Int)
		for i := range s.Fields {
			all.Or(all, new(big.Int).Lsh(least(&s.Fields[i]), uint(8*s.Fields[i].Off)))
		}
		return all
	}
	if s.Kind != ir.ShapeRange {
		return new(big.Int)
	}
	var lo *big.Int
	for _, r := range s.Ranges {
		if lo == nil || r.Lo.Cmp(lo) < 0 {
			lo = r.Lo
		}
	}
	if lo == nil {
		return new(big.Int)
	}
	return lo
}

func spans(s *ir.Shape) []ir.Span {
	if s.Kind != ir.ShapeRange {
		return nil
	}
	return s.Ranges
}

// byteSpans narrows the spans of a number to its i-th byte: exactly if the
// number fits one byte, else they are given as they are, wider than a byte.
func byteSpans(all []ir.Span, i int64) []ir.Span {
	for _, s := range all {
		if s.Hi.BitLen() > 8 {
			return []ir.Span{s}
		}
	}
	if len(all) > 0 && i > 0 {
		return []ir.Span{{Lo: new(big.Int), Hi: new(big.Int)}}
	}
	return all
}

// allowed reports whether v is a value of s; of a structure, whether each of its fields is.
func allowed(s *ir.Shape, v *big.Int) bool {
	switch s.Kind {
	case ir.ShapeRange:
		return within(s.Ranges, v)
	case ir.ShapeStruct:
		for i := range s.Fields {
			f := &s.Fields[i]
			part := new(big.Int).Rsh(v, uint(8*f.Off))
			if !allowed(f, part.And(part, ones(uint(8*f.Size)))) {
				return false
			}
		}
	}
	return true
}

func within(spans []ir.Span, v *big.Int) bool {
	for _, r := range spans {
		if v.Cmp(r.Lo) >= 0 && v.Cmp(r.Hi) <= 0 {
			return true
		}
	}
	return false
}

// pointee makes the object behind a pointer of the given shape; align is what is
// promised besides, count the length of a slice, for other pointers the least size
// in bytes.
func (m *machine) pointee(name string, s *ir.Shape, align int64, count uint64, to *slot) *Outcome {
	null, o := m.optional(name+".null", 1, s.Null)
	if o != nil || null != 0 {
		*to = slot{}
		return o
	}
	if s.Whole {
		count = max(count, uint64(s.Elem.Size))
	}
	size, o := m.extent(name, s, &count)
	if o != nil {
		return o
	}
	align = max(align, 1)
	if s.Elem != nil {
		align = max(align, s.Elem.Align)
	}
	m.begin(name, align)
	p, ok := m.mem.alloc(min(size, maxObject), align, input)
	if size > maxObject {
		p, ok = m.mem.allocFar(uint64(size), maxObject, align)
		if s.Elem != nil {
			count = min(count, uint64(maxObject/max(s.Elem.Size, 1)))
		}
	}
	if !ok {
		return m.end(OutOfSteps, "memory")
	}
	ob := &m.mem.objects[p.index()]
	ob.pending = &pending{name: name, elem: s.Elem, count: int64(count)}
	if s.Kind == ir.ShapeOpaque {
		ob.pending = nil
		fill(ob.undef, unknown)
	}
	*to = slot{v: ob.base, p: p}
	return nil
}

// begin moves on to the next place that lies where in a page a witness has the
// object behind a pointer begin, if it says so.
func (m *machine) begin(name string, align int64) {
	w, ok := m.source.(*witness)
	if !ok {
		return
	}
	page := w.root[name+".page"]
	if page == nil || !page.IsInt64() || page.Int64()%min(align, pageAlign) != 0 || page.Int64() >= pageAlign {
		return
	}
	m.mem.next = aligned(m.mem.next, max(align, pageAlign)) + page.Uint64()
}

// iterator makes the two pointers of a slice's iterator and what lies between them.
func (m *machine) iterator(name string, s *ir.Shape, align int64, begin, end *slot) *Outcome {
	most := []ir.Span{{Lo: new(big.Int), Hi: big.NewInt(maxObject / s.Elem.Size)}}
	n, o := m.rootInput(name+".count", 64, most)
	if o != nil {
		return o
	}
	count := uint64(0)
	if n != nil {
		count = n.Uint64()
	}
	if o := m.pointee(name, s, align, count, begin); o != nil {
		return o
	}
	if *end = *begin; *begin != (slot{}) {
		end.v += count * uint64(s.Elem.Size)
	}
	return nil
}

// extent is the size in bytes of a pointer's object; it sets count to the
// number of elements.
func (m *machine) extent(name string, s *ir.Shape, count *uint64) (int64, *Outcome) {
	elem := uint64(1)
	if s.Elem != nil {
		elem = uint64(max(s.Elem.Size, 0))
	}
	size := max(elem, *count)
	switch {
	case isSlice(s) || isIterator(s):
		hi, lo := bits.Mul64(elem, *count)
		if hi != 0 || lo >= 1<<63 {
			return 0, m.unsupported("input object of more bytes than there are addresses")
		}
		size = lo
	case s.Kind == ir.ShapeRawPtr || s.Kind == ir.ShapeOpaque:
		n, o := m.rootInput(name+".size", 64, sizes(*count))
		if o != nil {
			return 0, o
		}
		if n != nil && n.Uint64() < *count {
			return 0, m.badInput(fmt.Errorf("%s.size: %v is less than the %d bytes that are promised", name, n, *count))
		}
		size = *count
		if n != nil {
			size = n.Uint64()
		}
		*count = 0
		if elem > 0 {
			*count = size / elem
		}
	default:
		*count = 1
	}
	return int64(size), nil
}

// sizes is what the size of an object may be of which least bytes are promised.
func sizes(least uint64) []ir.Span {
	return []ir.Span{{Lo: new(big.Int).SetUint64(least), Hi: big.NewInt(maxObject)}}
}

// optional reads a small root input, 0 if it is missing or not asked.
func (m *machine) optional(name string, bits int, ask bool) (uint64, *Outcome) {
	if !ask {
		return 0, nil
	}
	v, o := m.rootInput(name, bits, nil)
	if o != nil || v == nil {
		return 0, o
	}
	return v.Uint64(), nil
}
