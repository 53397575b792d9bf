package exec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// A run of the executor may be told to follow a shard of the root: those of its runs
// of which some decisions are true. It drops the others where it comes to the
// position that a decision is about. Where it keeps some all the same (in a
// round that stands for all that follow, say) it does more than it must, and
// is no less sound: what it proves holds of more runs, what it refutes is replayed.

// where names the position of s: what key says, in the words of a decision.
func (s *state) where() string {
	var frames []*frame
	for f := s.top; f != nil; f = f.parent {
		frames = append(frames, f)
	}
	slices.Reverse(frames)
	var out strings.Builder
	for i, f := range frames {
		if i > 0 {
			out.WriteByte('/')
		}
		p := f.place()
		fmt.Fprintf(&out, "%d.%d", p.Func, p.Inst)
		for _, it := range f.iters {
			fmt.Fprintf(&out, "~%d", it.n)
		}
	}
	return out.String()
}

// shard is the decisions of a run, by position.
type shard struct {
	at     map[string][]verdict.Decision
	places map[string]bool // the innermost places, to tell soon that nothing is decided at one
}

func newShard(ds []verdict.Decision) shard {
	sh := shard{map[string][]verdict.Decision{}, map[string]bool{}}
	for _, d := range ds {
		sh.at[d.At] = append(sh.at[d.At], d)
		inner, _, _ := strings.Cut(d.At[strings.LastIndexByte(d.At, '/')+1:], "~")
		sh.places[inner] = true
	}
	return sh
}

// decided returns those of the ways that the runs of the shard take from where s stands, and drops the other runs of s.
func (x *exec) decided(s *state, ways []way) ([]way, error) {
	if len(x.shard.at) == 0 || s.general || x.trial != nil {
		return ways, nil
	}
	if p := s.top.place(); !x.shard.places[fmt.Sprintf("%d.%d", p.Func, p.Inst)] {
		return ways, nil
	}
	ds := x.shard.at[s.where()]
	if len(ds) == 0 {
		return ways, nil
	}
	var kept []way
	in := expr.False
	for _, w := range ways {
		if !slices.ContainsFunc(ds, func(d verdict.Decision) bool { return d.Takes != (d.Block == w.to) }) {
			kept, in = append(kept, w), x.b.Or(in, w.guard)
		}
	}
	if err := x.assume(s, in); err != nil {
		return nil, err
	}
	r, m := x.sat(s, expr.True)
	if r == smt.Unsat {
		return nil, errOver
	}
	s.model = m
	return kept, nil
}

// parted notes that inputs part where the top frame stands though the shard keeps but some ways of all: a round
// that others leave counts against the bound in a shard as in the whole.
func (f *frame) parted(to int, kept, all []way) {
	if len(kept) < len(all) {
		f.fork(to, all)
	}
}
