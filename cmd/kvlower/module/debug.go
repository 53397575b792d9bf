package module

import (
	"fmt"
	"math/big"
)

// DebugType is a type as debug information describes it.
type DebugType struct {
	Tag   int    // DW_TAG_*
	Scope string // path of the modules that hold it
	Name  string
	Size  int64      // bytes
	Align int64      // bytes, 0 if unknown
	Base  *DebugType // pointee, element, underlying type; nil for none

	Len     int64      // array: number of elements, -1 if unknown
	Values  []*big.Int // enumeration: unsigned
	Members []Member
	// Variants are the alternatives of an enum with data. Tag tells them apart;
	// it is nil when there is only one.
	HasVariants bool
	Variants    []Member
	Selector    *Member
}

// DWARF tags.
const (
	TagArray       = 0x01
	TagEnumeration = 0x04
	TagPointer     = 0x0f
	TagStructure   = 0x13
	TagTypedef     = 0x16
	TagUnion       = 0x17
	TagBase        = 0x24
)

// Member is a field of a structure, or a variant.
type Member struct {
	Name    string
	Offset  int64 // bytes
	Size    int64
	Type    *DebugType
	Private bool     // only the module of the type sees it
	Value   *big.Int // of the tag, for a variant; nil if none says it
}

func (r *reader) bits() int64 {
	n := r.u()
	if n > 1<<43 {
		r.fail(fmt.Errorf("size of %d bits", n))
		return 0
	}
	return int64(n+7) / 8
}

// debugType reads a reference to a type, which may be described later.
func (r *reader) debugType() *DebugType {
	i := r.u()
	if i == 0 {
		return nil
	}
	if i > uint64(len(r.debug)) {
		r.fail(fmt.Errorf("no debug type %d", i))
		return nil
	}
	return r.debug[i-1]
}

func (r *reader) debugTypes() {
	n := r.n()
	r.debug = make([]*DebugType, n)
	for i := range r.debug {
		r.debug[i] = &DebugType{}
	}
	for _, t := range r.debug {
		r.debugEntry(t)
	}
}

func (r *reader) debugEntry(t *DebugType) {
	t.Tag = r.int()
	t.Scope, t.Name = r.str(), r.str()
	t.Size, t.Align = r.bits(), r.bits()
	t.Base = r.debugType()
	if r.u() == 0 {
		return
	}
	switch t.Tag {
	case TagArray:
		t.Len = r.size() - 1
	case TagEnumeration:
		for range r.n() {
			t.Values = append(t.Values, r.big())
		}
	default:
		t.Members = r.members()
		if t.HasVariants = r.u() != 0; !t.HasVariants {
			return
		}
		if r.u() != 0 {
			m := r.member()
			t.Selector = &m
		}
		t.Variants = r.members()
	}
}

func (r *reader) members() []Member {
	var out []Member
	for range r.n() {
		out = append(out, r.member())
	}
	return out
}

func (r *reader) member() Member {
	m := Member{Name: r.str(), Offset: r.bits(), Size: r.bits(), Type: r.debugType(), Private: r.u() != 0}
	if raw := r.raw(); len(raw) > 0 {
		n, ok := new(big.Int).SetString(string(raw), 16)
		if !ok {
			r.fail(fmt.Errorf("value of %s is not hexadecimal", m.Name))
			return m
		}
		m.Value = n
	}
	return m
}

// shapes reads the types of the parameters of functions, by symbol.
func (r *reader) shapes() map[string][]*DebugType {
	out := map[string][]*DebugType{}
	for range r.n() {
		symbol := r.str()
		var params []*DebugType
		for range r.n() {
			params = append(params, r.debugType())
		}
		out[symbol] = params
	}
	return out
}
