package cut

import (
	"cmp"
	"slices"
)

// held is what a value may point to, of what is followed.
type held struct {
	at     []spot // in order; a place that is pointed to anywhere is there once
	others bool   // something that is not followed, too
}

// spot is an offset in a place; anywhere: any.
type spot struct {
	place int
	off   int64
}

// anywhere stands before all other offsets.
const anywhere = -1

// maxOffsets bounds the offsets in one place that a value is known to point to.
const maxOffsets = 16

var elsewhere = held{others: true}

func one(s spot) held { return held{at: []spot{s}} }

func (v held) followed() bool { return len(v.at) > 0 }

// known is v without what is not followed.
func (v held) known() held { return held{at: v.at} }

// anyOffset is v at any offsets.
func (v held) anyOffset() held {
	out := held{others: v.others}
	for i, s := range v.at {
		if i == 0 || v.at[i-1].place != s.place {
			out.at = append(out.at, spot{s.place, anywhere})
		}
	}
	return out
}

// covers reports whether v says all that w does.
func (v held) covers(w held) bool {
	if w.others && !v.others {
		return false
	}
	return !slices.ContainsFunc(w.at, func(s spot) bool { return !v.has(s) })
}

func (v held) has(s spot) bool {
	i, ok := slices.BinarySearchFunc(v.at, spot{s.place, anywhere}, compareSpots)
	if ok {
		return true
	}
	for ; i < len(v.at) && v.at[i].place == s.place; i++ {
		if v.at[i].off == s.off {
			return true
		}
	}
	return false
}

func compareSpots(a, b spot) int {
	return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.off, b.off))
}

// union is what v or w says. Neither is changed.
func union(v, w held) held {
	switch {
	case v.covers(w):
		return v
	case w.covers(v):
		return w
	}
	all := slices.Concat(v.at, w.at)
	slices.SortFunc(all, compareSpots)
	out := held{others: v.others || w.others}
	for lo := 0; lo < len(all); {
		hi := lo + 1
		for hi < len(all) && all[hi].place == all[lo].place {
			hi++
		}
		group := slices.Compact(all[lo:hi])
		if group[0].off == anywhere || len(group) > maxOffsets {
			group = []spot{{all[lo].place, anywhere}}
		}
		out.at = append(out.at, group...)
		lo = hi
	}
	return out
}
