package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// A run alone decides only the panics that the root itself holds, in all its calls
// by whomever: it does not follow what the root calls. Such a call may change all
// that it can reach, and returns anything of its type. What it comes to itself is
// given up, but for the root's own panics: if it calls the root again, that is
// another call of the root, of which the same is proved. So it is cheap however
// much the root leads to, and decides what hangs on the root's own code.
//
// Small functions without loops are followed all the same: what len or deref
// returns is what most checks are about.

// followed is the number of instructions up to which a function is followed in
// a run alone, those of all that it leads to included. A slice that is cut for
// runs alone holds those functions and leaves out the others.
const followed = ir.Followed

// unfollowed is what is assumed of functions that are not followed: a value that one gives is
// one of its type, and what the root promises of it holds. What is proved is proved of
// calls whose behaviour is defined up to there.
const unfollowed = "functions that are not followed keep to what Rust allows them"

// notFollowed is why what comes after a call is not known in a run alone.
const notFollowed = "a call is not followed"

// alone is what a run alone knows of the slice's functions.
type alone struct {
	holder int          // the function whose panics are decided
	tokens map[int]bool // panic locations that the root holds
	sizes  []int        // by function: instructions of all it leads to, more than followed if that is not known
	states []uint8      // by function, while sizes are found: 1 being looked at, 2 done
}

func newAlone(x *exec) *alone {
	n := len(x.slice.Funcs)
	o := &alone{holder: x.slice.Root, tokens: map[int]bool{}, sizes: make([]int, n), states: make([]uint8, n)}
	if len(x.cfg.Of) > 0 {
		o.holder = x.cfg.Of[0]
	}
	for _, b := range x.slice.Funcs[o.holder].Blocks {
		for _, in := range b.Insts {
			for i := range in.Args {
				eachLocation(x.slice, &in.Args[i], func(loc int) { o.tokens[loc] = true })
			}
		}
	}
	for fi := range x.slice.Funcs {
		o.size(x, fi)
	}
	for _, fi := range x.cfg.Of {
		o.sizes[fi] = 0
	}
	return o
}

// size finds how many instructions fi leads to: too many where there is a loop
// or a recursion.
func (o *alone) size(x *exec, fi int) int {
	const many = followed + 1
	switch o.states[fi] {
	case 1:
		return many
	case 2:
		return o.sizes[fi]
	}
	o.states[fi] = 1
	fl := x.flows[fi]
	n := fl.total
	if len(fl.loops) > 0 {
		n = many
	}
	for _, c := range x.reach.callees[fi] {
		if n > followed {
			break
		}
		if c >= 0 {
			n += o.size(x, c)
		}
	}
	o.states[fi], o.sizes[fi] = 2, min(n, many)
	return o.sizes[fi]
}

// elsewhere gives up a panic that code which is not followed can come to. In a run
// alone that code's calls of the root are calls of which the same is proved.
func (x *exec) elsewhere(site *Site, reason string) {
	if x.alone == nil || site.Loc < 0 || !x.alone.tokens[site.Loc] {
		site.give(reason)
	}
}

// isHolder reports whether fi is the function that a run alone is about.
func (x *exec) isHolder(fi int) bool { return x.alone != nil && x.alone.holder == fi }

// follows reports whether a call of function fi is executed.
func (x *exec) follows(fi int) bool {
	return x.alone == nil || x.alone.sizes[fi] <= followed
}

// skip is a call of a function of type sig that is not followed. It leads to what
// callee, as reach has it, leads to.
func (x *exec) skip(s *state, in *ir.Inst, callee int, sig *ir.Sig, args []*value) (bool, error) {
	if r, _ := x.sat(s, expr.True); r == smt.Unsat {
		return false, errOver
	}
	for i, v := range args {
		p := &sig.Params[i]
		if _, err := x.argument(s, in, i, v, &p.Attr, p.Type); err != nil {
			return false, err
		}
	}
	x.loosen(s, expr.True, notFollowed)
	x.note(unfollowed)
	x.leak(s, args)
	x.havoc(s, expr.True)
	seen := x.reach.noneSeen()
	x.reach.mark(callee, false, seen)
	x.reach.sites(seen, func(site *Site) { x.elsewhere(site, notFollowed) })
	if sig.NoReturn || in.CallSig != nil && in.CallSig.NoReturn {
		return false, errOver
	}
	if in.Result < 0 {
		s.top.inst++
		return true, nil
	}
	v, err := x.arbitrary(in.Type)
	if err != nil {
		return false, err
	}
	if err := x.trust(s, v, &sig.Ret.Attr, in.Type); err != nil {
		return false, err
	}
	if err := x.deliver(s, in, v); err != nil {
		return false, err
	}
	return true, nil
}
