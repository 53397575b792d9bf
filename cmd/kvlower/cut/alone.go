package cut

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// A slice of a root alone has the bodies of the functions that the engine follows
// there, and of all others that code in it names their types only. So what is proved
// with it is proved still when any of those change.

// CutAlone returns the slice of the root called symbol alone, as the engine looks at it with exec.Config.Alone, with
// its map, and the symbols of its functions by their numbers. Those called through are followed too, however large.
func (c *Cutter) CutAlone(symbol string, through ...string) (*ir.Slice, *position.Map, []string, error) {
	follow := map[int]bool{}
	for _, t := range slices.Concat(through, []string{symbol}) {
		follow[c.bySym[t]] = true
	}
	return c.cut(symbol, func(i int) bool { return follow[i] || c.leadsTo(i) <= ir.Followed }, false)
}

// leadsTo is how many instructions function i leads to by direct calls, itself included:
// more than ir.Followed where there is a loop or a recursion, or if it is more.
func (c *Cutter) leadsTo(i int) int {
	const many = ir.Followed + 1
	if c.sizes[i] > 0 {
		return c.sizes[i]
	}
	c.sizes[i] = many // if it comes to itself
	f := c.m.Funcs[i]
	blocks := reachable(f)
	n := 0
	if cyclic(f) {
		n = many
	}
	for b, block := range f.Blocks {
		if blocks[b] < 0 {
			continue
		}
		for _, in := range block.Insts {
			if n++; n >= many {
				break
			}
			if callee, ok := c.callee(in); ok {
				n += c.leadsTo(callee)
			}
		}
	}
	c.sizes[i] = min(n, many)
	return c.sizes[i]
}

// callee is the function with a body that in calls directly.
func (c *Cutter) callee(in *ir.Inst) (int, bool) {
	if in.Op != ir.Call && in.Op != ir.CallBr || in.Args[0].Kind != ir.FuncAddr {
		return 0, false
	}
	return in.Args[0].Index, c.isBody(in.Args[0].Index)
}

// cyclic reports whether there is a loop in f: a walk that goes down from its entry comes to a
// block which it has not left.
func cyclic(f *module.Func) bool {
	const within, left = 1, 2
	state := make([]uint8, len(f.Blocks))
	next := make([]int, len(f.Blocks)) // by block: the edge to be followed next
	for stack := []int{0}; len(stack) > 0; {
		b := stack[len(stack)-1]
		state[b] = within
		insts := f.Blocks[b].Insts
		targets := insts[len(insts)-1].Targets
		if next[b] == len(targets) {
			state[b], stack = left, stack[:len(stack)-1]
			continue
		}
		t := targets[next[b]]
		next[b]++
		switch {
		case state[t] == within:
			return true
		case state[t] == 0:
			stack = append(stack, t)
		}
	}
	return false
}
