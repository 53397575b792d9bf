package exec

import "github.com/kvfarm/kvfarm/engine/ir"

// told is which functions of the slice code outside was told of, and what it was
// called for. It may call those back that it was told of. What it calls on its own
// account, as any Rust code may call what is public, is no doing of the root: that is
// for the roots which those functions are. What one path told counts for
// all: a loop may tell in one round what it calls for in the next.
type told struct {
	all   bool // there was content that may lead to any function
	funcs map[int]bool
	calls []outsideCall
}

// outsideCall is a call of code that is not known.
type outsideCall struct {
	reason string
	like   *ir.Sig // of the callee, where that came in as a number: it may be any function of this type
}

// hear notes the functions that a closure found, whose content code outside can see.
func (t *told) hear(c *closure) {
	t.all = t.all || c.hidden
	for id := range c.seen {
		if o := c.x.infos[id]; o.kind == objFunc {
			t.funcs[o.ref] = true
		}
	}
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

// callsBack gives up the panic sites that code outside can come to by calling
// back, and reports whether there are any. It is asked again at the end: more may be told by then.
func (x *exec) callsBack(reason string, like *ir.Sig) bool {
	call := outsideCall{reason, like}
	x.told.calls = append(x.told.calls, call)
	return x.giveBack(call)
}

func (x *exec) giveBack(call outsideCall) bool {
	class := -1
	if call.like != nil {
		class = x.reach.class(call.like)
	}
	any := false
	x.reach.back(func(fi int) bool {
		return x.told.all || x.told.funcs[fi] || class >= 0 && x.reach.class(&x.slice.Funcs[fi].Sig) == class
	}, false, func(site *Site) {
		site.give(call.reason)
		any = true
	})
	return any
}

// calledBack gives up what calls could call back that were told of it later, on another path or in an earlier round.
func (x *exec) calledBack() {
	done := map[outsideCall]bool{}
	for _, c := range x.told.calls {
		if !done[c] {
			done[c] = true
			x.giveBack(c)
		}
	}
}
