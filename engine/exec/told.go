package exec

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// told is which functions of the slice code outside was told of, and what it was
// called for. It may call those back that it was told of. What it calls on its own
// account, as any Rust code may call what is public, is no doing of the root: that is
// for the roots which those functions are. What one path told counts for
// all: a loop may tell in one round what it calls for in the next.
type told struct {
	all   bool // there was content that may lead to any function
	funcs map[int]bool
	calls []outsideCall // each once
}

// outsideCall is a call of code that is not known.
type outsideCall struct {
	reason string
	class  int // of reach: the callee came in as a number and may be any function of it; -1 for other code
}

// hear notes the functions that a closure found, whose content code outside can see.
func (t *told) hear(c *closure) {
	t.all = t.all || c.hidden
	for _, fi := range c.functions() {
		t.funcs[fi] = true
	}
}

// functions lists the functions that were found.
func (c *closure) functions() (found []int) {
	for _, id := range c.order {
		if o := c.x.infos[id]; o.kind == objFunc {
			found = append(found, o.ref)
		}
	}
	return found
}

// newTold is what code outside knows at first: what it can name itself, and not
// what stands in constants without a name.
func (x *exec) newTold() told {
	c := x.newClosure(&state{})
	for i, g := range x.slice.Globals {
		if !g.Const || !g.UnnamedAddr {
			c.base(&base{kind: baseGlobal, global: g})
			c.add(x.globalObj + i)
		}
	}
	c.run()
	t := told{funcs: map[int]bool{}}
	t.hear(c)
	return t
}

// giveBack gives up the panic sites that code outside can come to by calling
// back, and reports whether there are any. like is the type of a callee that came
// in as a number, nil for other code. It is asked again at the end: more may be told by then.
func (x *exec) giveBack(reason string, like *ir.Sig) bool {
	call := outsideCall{reason, -1}
	if like != nil {
		call.class = x.reach.class(like)
	}
	if !slices.Contains(x.told.calls, call) {
		x.told.calls = append(x.told.calls, call)
	}
	return x.giveOf(call)
}

func (x *exec) giveOf(call outsideCall) (any bool) {
	var alike []int
	if call.class >= 0 {
		alike = x.reach.alike[call.class]
	}
	x.reach.back(func(fi int) bool {
		return x.told.all || x.told.funcs[fi] || slices.Contains(alike, fi)
	}, false, func(site *Site) {
		x.elsewhere(site, call.reason)
		any = true
	})
	return any
}

// calledBack gives up what calls could call back that were told of it later, on another path or in an earlier round.
func (x *exec) calledBack() {
	for _, c := range x.told.calls {
		x.giveOf(c)
	}
}
