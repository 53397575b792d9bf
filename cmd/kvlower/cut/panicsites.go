package cut

import (
	"cmp"
	"maps"
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
)

// panics lists the panic calls of all functions that were walked, one for each
// kind and position, by position. The first functions, so many, are those that
// automatic roots reach.
func (w *walk) panics(reached int) []position.Panic {
	all := map[position.Panic]bool{}
	w.addPanics(all, w.slice)
	inReach := map[position.Panic]bool{}
	roots := *w.slice
	roots.Funcs = roots.Funcs[:reached]
	w.addPanics(inReach, &roots)
	out := sortedPanics(all)
	for i := range out {
		out[i].Reached = inReach[out[i]]
	}
	return out
}

// sortedPanics lists all by position. Nothing in it compares equal: its order must not hang on that of a map.
func sortedPanics(all map[position.Panic]bool) []position.Panic {
	out := slices.AppendSeq(make([]position.Panic, 0, len(all)), maps.Keys(all))
	located := map[bool]int{true: 1}
	slices.SortFunc(out, func(a, b position.Panic) int {
		return cmp.Or(cmp.Compare(a.At.File, b.At.File), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Col, b.At.Col),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.At.Func, b.At.Func), cmp.Compare(located[a.Located], located[b.Located]))
	})
	return out
}

func (w *walk) addPanics(to map[position.Panic]bool, s *ir.Slice) {
	for _, site := range sites(s) {
		p := position.Panic{Kind: site.Kind, Located: site.Loc >= 0}
		frames := w.placeOf(site.Func, site.Inst)
		switch {
		case p.Located:
			p.At = w.locs[site.Loc]
		case len(frames) > 0:
			p.At = frames[0]
		default:
			p.At.Func = s.Funcs[site.Func].Name
		}
		to[p] = true
	}
}
