package interp

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// materialize makes the content of an input object.
func (m *machine) materialize(p prov) *Outcome {
	pd := m.mem.objects[p.index()].pending
	m.mem.objects[p.index()].pending = nil
	if pd.elem == nil {
		m.plain(pd.name, p, 0, len(m.mem.objects[p.index()].data))
		return nil
	}
	if pd.elem.Size == 0 {
		pd.count = 0
	}
	for i := range pd.count {
		if o := m.shape(pd.name, p, pd.elem, i*pd.elem.Size); o != nil {
			return o
		}
	}
	return m.part(pd.name, p, pd.elem, pd.count*pd.elem.Size)
}

// part makes the beginning of a shape that the object's end cuts off: the fields
// that are there as a whole, and any bytes for the one that is not.
func (m *machine) part(name string, p prov, s *ir.Shape, off int64) *Outcome {
	length := int64(len(m.mem.objects[p.index()].data))
	if off >= length {
		return nil
	}
	if s.Kind != ir.ShapeStruct {
		m.plain(name, p, int(off), int(length-off))
		return nil
	}
	whole := 0
	for whole < len(s.Fields) && off+s.Fields[whole].Off+s.Fields[whole].Size <= length {
		whole++
	}
	if last := whole - 1; last >= 0 && (isSlice(&s.Fields[last]) || s.Fields[last].Kind == ir.ShapeIter) {
		whole-- // its length or end is cut off
	}
	if o := m.fields(name, p, s.Fields[:whole], off); o != nil || whole == len(s.Fields) {
		return o
	}
	return m.part(name, p, &s.Fields[whole], off+s.Fields[whole].Off)
}

// byteName names a byte of an object, or the pointer that begins there.
func byteName(object string, off int64) string {
	return object + ".data[" + strconv.FormatInt(off, 10) + "]"
}

// plain makes a range of any bytes.
func (m *machine) plain(name string, p prov, off, n int) {
	o := &m.mem.objects[p.index()]
	o.input = name
	fill(o.undef[off:off+n], unasked)
}

// ask asks for those bytes of a range that were not asked for yet.
func (m *machine) ask(o *object, off, n int) *Outcome {
	for i := off; i < off+n; i++ {
		if o.undef[i] != unasked {
			continue
		}
		v, end := m.optional(byteName(o.input, int64(i)), 8, true)
		if end != nil {
			return end
		}
		o.write(i, 1, slot{v: v})
	}
	return nil
}

// shape makes the part of an object that has shape s at offset off.
func (m *machine) shape(name string, p prov, s *ir.Shape, off int64) *Outcome {
	switch s.Kind {
	case ir.ShapeBits, ir.ShapeSliceLen:
		m.plain(name, p, int(off), int(s.Size))
		return nil
	case ir.ShapeRange:
		_, o := m.leaf(name, p, s, off)
		return o
	case ir.ShapeStruct:
		return m.fields(name, p, s.Fields, off)
	case ir.ShapeEnum:
		return m.enum(name, p, s, off)
	case ir.ShapeArray:
		for i := range s.Len {
			if o := m.shape(name, p, s.Elem, off+i*s.Elem.Size); o != nil {
				return o
			}
		}
		return nil
	case ir.ShapeRef, ir.ShapeRawPtr:
		return m.pointerAt(name, p, s, off, 0)
	case ir.ShapeOpaque:
		fill(m.mem.objects[p.index()].undef[off:off+s.Size], unknown)
		return nil
	}
	return m.unsupported("input of shape %v", s.Kind)
}

func (m *machine) fields(name string, p prov, fs []ir.Shape, off int64) *Outcome {
	for i := range fs {
		f := &fs[i]
		if isSlice(f) {
			if i+1 >= len(fs) || fs[i+1].Kind != ir.ShapeSliceLen && fs[i+1].Kind != ir.ShapeBits {
				return m.unsupported("slice without a length")
			}
			n := &fs[i+1]
			m.plain(name, p, int(off+n.Off), int(n.Size))
			if o := m.ask(&m.mem.objects[p.index()], int(off+n.Off), int(n.Size)); o != nil {
				return o
			}
			count := m.mem.objects[p.index()].read(int(off+n.Off), int(n.Size)).v
			if o := m.pointerAt(name, p, f, off+f.Off, count); o != nil {
				return o
			}
			continue
		}
		if f.Kind == ir.ShapeIter {
			if i+1 >= len(fs) || fs[i+1].Kind != ir.ShapeIterEnd {
				return m.unsupported("iterator without an end")
			}
			var begin, end slot
			if o := m.iterator(byteName(name, off+f.Off), f, 1, &begin, &end); o != nil {
				return o
			}
			ob := &m.mem.objects[p.index()]
			ob.store(int(off+f.Off), begin, 64, true)
			ob.store(int(off+fs[i+1].Off), end, 64, true)
		}
		if isIterator(f) || i > 0 && isSlice(&fs[i-1]) {
			continue // made with its pointer
		}
		if o := m.shape(name, p, f, off+f.Off); o != nil {
			return o
		}
	}
	return nil
}

func (m *machine) pointerAt(name string, p prov, s *ir.Shape, off int64, count uint64) *Outcome {
	var to slot
	if o := m.pointee(byteName(name, off), s, 1, count, &to); o != nil {
		return o
	}
	m.mem.objects[p.index()].store(int(off), to, 64, true)
	return nil
}

// leaf reads the bytes of a number. If none is given it is the least one.
func (m *machine) leaf(name string, p prov, s *ir.Shape, off int64) (*big.Int, *Outcome) {
	v, given := new(big.Int), false
	for i := s.Size - 1; i >= 0; i-- {
		b, o := m.rootInput(byteName(name, off+i), 8, byteSpans(spans(s), i))
		if o != nil {
			return nil, o
		}
		v.Lsh(v, 8)
		if b != nil {
			given = true
			v.Or(v, b)
		}
	}
	if !given {
		v = least(s)
	}
	if !allowed(s, v) {
		return nil, m.badInput(fmt.Errorf("%s.data[%d]: %v is no value of its type", name, off, v))
	}
	m.number(p, off, s.Size, v)
	return v, nil
}

// number writes n bytes of v.
func (m *machine) number(p prov, off, n int64, v *big.Int) {
	b := v.FillBytes(make([]byte, max(n, int64(len(v.Bytes())))))
	for i := range n {
		m.mem.objects[p.index()].write(int(off+i), 1, slot{v: uint64(b[len(b)-1-int(i)])})
	}
}

// enum makes the tag, then the fields of the variant that it says.
func (m *machine) enum(name string, p prov, s *ir.Shape, off int64) *Outcome {
	if len(s.Fields) == 0 {
		return m.unsupported("enum without a tag")
	}
	tag := s.Fields[0]
	tag.Kind, tag.Ranges = ir.ShapeRange, tagValues(s)
	untagged := -1
	for i := range s.Variants {
		if len(s.Variants[i].Tags) == 0 {
			untagged = i
		}
	}
	if untagged >= 0 {
		tag.Kind = ir.ShapeBits
	}
	v, o := m.leaf(name, p, &tag, off+tag.Off)
	if o != nil {
		return o
	}
	if o := m.fields(name, p, s.Fields[1:], off); o != nil {
		return o
	}
	which := untagged
	for i := range s.Variants {
		if within(s.Variants[i].Tags, v) {
			which = i
		}
	}
	if which < 0 {
		return m.badInput(fmt.Errorf("%s.data[%d]: %v is no tag", name, off, v))
	}
	return m.fields(name, p, s.Variants[which].Fields, off)
}

func tagValues(s *ir.Shape) []ir.Span {
	var all []ir.Span
	for _, v := range s.Variants {
		all = append(all, v.Tags...)
	}
	return all
}
