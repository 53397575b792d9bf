package report

import (
	"github.com/kvfarm/kvfarm/engine/position"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// remains is what LLVM leaves of the panic calls in all crates that were looked at.
type remains struct {
	calls  map[siteKey]bool // without function; those of kind "" stand for every kind
	placed map[string]bool  // kinds of calls that are known by where they stand alone
}

// AddRemains notes the panic calls that LLVM at opt 2 leaves in the crates whose
// panic calls are noted and in all that those need. It is called once, or not at
// all if a crate is missing: then nothing is said of what LLVM removes.
func (b *Builder) AddRemains(panics []position.Panic) {
	b.remains = &remains{calls: map[siteKey]bool{}, placed: map[string]bool{}}
	for i := range panics {
		p := &panics[i]
		b.remains.calls[siteKey{kind: p.Kind, file: p.At.File, line: p.At.Line, col: p.At.Col}] = true
		if !p.Located {
			b.remains.placed[p.Kind] = true
		}
	}
}

// optimised says what becomes of s at opt 2. Only what stands in a crate's code
// can be removed from it. A call that has no location is looked for by its place,
// which LLVM may change where it merges code: such a one is not said to be removed
// while any call of its kind is left.
func (b *Builder) optimised(s *site) pb.Optimised {
	located, ok := b.inCode[s.key]
	if b.remains == nil || !ok {
		return pb.Optimised_OPTIMISED_UNKNOWN
	}
	key := s.key
	key.fn = ""
	any := key
	any.kind = ""
	switch {
	case b.remains.calls[key] || b.remains.calls[any]:
		return pb.Optimised_KEPT
	case !located && b.remains.placed[key.kind]:
		return pb.Optimised_OPTIMISED_UNKNOWN
	}
	return pb.Optimised_REMOVED
}
