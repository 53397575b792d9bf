package cut

import (
	"strings"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// What lies in kernel::types::Opaque<T> is C's: initialised, and any value of T.
// Its numbers may be anything. Where its pointers lead C alone knows, and a union
// may hold any of its members, so both stay opaque.

// maxForeign bounds the structures of C that are described, in bytes.
const maxForeign = 1 << 14

// foreign describes an Opaque<T>. It is ok if T is known and holds more than pointers.
func foreign(t *module.DebugType) (s ir.Shape, ok bool) {
	if !isOpaque(t) || t.Size == 0 || t.Size > maxForeign {
		return ir.Shape{}, false
	}
	c := content(t)
	if c == nil {
		return ir.Shape{}, false
	}
	bytes := make([]class, t.Size)
	mark(bytes, c)
	fields := runs(bytes)
	if len(fields) == 1 && fields[0].Kind == ir.ShapeOpaque {
		return ir.Shape{}, false
	}
	return ir.Shape{Kind: ir.ShapeStruct, Size: t.Size, Align: alignOf(t), Fields: fields}, true
}

func isOpaque(t *module.DebugType) bool {
	return t.Scope == "kernel::types" && strings.HasPrefix(t.Name, "Opaque<")
}

// initialised takes from s that parts of it may not be.
func initialised(s *ir.Shape) {
	s.Unset = false
	for i := range s.Fields {
		initialised(&s.Fields[i])
	}
	if s.Kind == ir.ShapeArray {
		initialised(s.Elem)
	}
}

// content goes through the cells and wrappers around T, all of one size.
func content(t *module.DebugType) *module.DebugType {
	for range 8 {
		var inner *module.DebugType
		for _, m := range t.Members {
			if m.Type != nil && m.Type.Size == t.Size && m.Offset == 0 {
				inner = m.Type
			}
		}
		if inner == nil {
			return nil
		}
		last := strings.HasPrefix(t.Name, "ManuallyDrop<") || strings.HasPrefix(t.Name, "MaybeDangling<")
		if last && !strings.HasPrefix(inner.Name, "MaybeDangling<") {
			return inner
		}
		t = inner
	}
	return nil
}

// class says what may stand in a byte.
type class uint8

const (
	number class = iota // or padding
	truth               // a bool
	hidden
)

// mark says what stands in the bytes of a t at the beginning of to.
func mark(to []class, t *module.DebugType) {
	to = to[:min(t.Size, int64(len(to)))]
	switch {
	case t.Tag == module.TagTypedef && t.Base != nil:
		mark(to, t.Base)
	case t.Tag == module.TagBase && t.Name == "bool":
		fill(to, truth)
	case t.Tag == module.TagBase && t.Name != "char" && !strings.HasPrefix(t.Name, "f"):
	case t.Tag == module.TagArray && t.Base != nil && t.Base.Size > 0:
		for at := int64(0); at < int64(len(to)); at += t.Base.Size {
			mark(to[at:], t.Base)
		}
	case t.Tag == module.TagStructure && !t.HasVariants && len(t.Members) > 0 && !limited(t):
		for _, m := range t.Members {
			if m.Type != nil && m.Offset >= 0 && m.Offset < int64(len(to)) {
				mark(to[m.Offset:], m.Type)
			}
		}
	default:
		fill(to, hidden)
	}
}

// limited reports whether a structure of core allows fewer values than its fields.
func limited(t *module.DebugType) bool {
	return len(niche(t)) > 0 || t.Scope == "core::ptr::non_null"
}

func fill(to []class, c class) {
	for i := range to {
		to[i] = c
	}
}

// runs makes a field of each run of equal bytes, and of each bool.
func runs(bytes []class) []ir.Shape {
	var out []ir.Shape
	for at := 0; at < len(bytes); {
		end := at + 1
		for end < len(bytes) && bytes[end] == bytes[at] && bytes[at] != truth {
			end++
		}
		var f ir.Shape
		switch bytes[at] {
		case truth:
			f = rangeShape(1, 0, 1)
		case hidden:
			f = opaqueShape(int64(end-at), 1)
		default:
			f = bitsShape(int64(end-at), 1)
		}
		f.Off = int64(at)
		out = append(out, f)
		at = end
	}
	return out
}
