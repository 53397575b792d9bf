package cut

import (
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// owners are the types of the kernel crate whose one pointer leads to a whole,
// living object: that is their invariant, which no code can break without `unsafe`. Of a bare
// NonNull that cannot be said: in an empty Vec it dangles.
var owners = []struct{ scope, name string }{
	{"kernel::alloc::kbox", "Box<"},
	{"kernel::list::arc", "ListArc<"},
	{"kernel::sync::arc", "Arc<"},
	{"kernel::sync::arc", "ArcBorrow<"},
	{"kernel::sync::arc", "UniqueArc<"},
	{"kernel::sync::aref", "ARef<"},
	{"kernel::types", "ARef<"}, // before 7.1
}

func owns(t *module.DebugType) bool {
	return slices.ContainsFunc(owners, func(o struct{ scope, name string }) bool {
		return t.Scope == o.scope && strings.HasPrefix(t.Name, o.name)
	})
}

// promise notes on the pointer in s, if it is the only scalar of s, that a whole object lies behind it.
func promise(s *ir.Shape) {
	for s.Kind == ir.ShapeStruct && len(s.Fields) == 1 {
		s = &s.Fields[0]
	}
	if s.Kind == ir.ShapeRawPtr && !s.Null && s.Elem.Size > 0 && s.Elem.Size <= ir.MaxWhole {
		s.Whole = true
	}
}
