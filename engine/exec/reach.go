package exec

import "github.com/kvfarm/kvfarm/engine/ir"

// reach answers which panic sites code can reach from a place, by looking at
// the code alone. It is what an abandoned path leaves undecided.
type reach struct {
	x       *exec
	callees [][]int // by function
	closure [][]*Site
	taken   []int // functions whose address is taken: what an indirect call can reach
}

func newReach(x *exec) *reach {
	r := &reach{x: x, callees: make([][]int, len(x.slice.Funcs)), closure: make([][]*Site, len(x.slice.Funcs))}
	taken := map[int]bool{}
	for fi, fn := range x.slice.Funcs {
		for _, b := range fn.Blocks {
			for _, in := range b.Insts {
				r.callees[fi] = append(r.callees[fi], x.callees(in)...)
				for i := range in.Args {
					if i > 0 || in.Op != ir.Call {
						takes(&in.Args[i], taken)
					}
				}
			}
		}
	}
	for _, g := range x.slice.Globals {
		for i := range g.Relocs {
			takes(&g.Relocs[i].Target, taken)
		}
	}
	for fi := range x.slice.Funcs {
		if taken[fi] {
			r.taken = append(r.taken, fi)
		}
	}
	return r
}

// callees returns the functions that an instruction calls directly, and -1 for a
// call that may lead to any function whose address is taken.
func (x *exec) callees(in *ir.Inst) []int {
	if in.Op != ir.Call && in.Op != ir.CallBr {
		return nil
	}
	switch in.Args[0].Kind {
	case ir.AsmRef:
		if classify(in.Args[0].Asm, in.Op == ir.CallBr) != asmUnknown {
			return nil
		}
	case ir.FuncAddr:
		return []int{in.Args[0].Index}
	case ir.ExternAddr:
		if e := x.slice.Externs[in.Args[0].Index]; e.Panic != "" || modelled(e.Symbol) {
			return nil
		}
	}
	return []int{-1}
}

func takes(v *ir.Value, taken map[int]bool) {
	if v.Kind == ir.FuncAddr {
		taken[v.Index] = true
	}
	for i := range v.Elems {
		takes(&v.Elems[i], taken)
	}
}

// back calls f for each panic site that code outside of the slice can reach by
// calling a function whose address is taken and that which allows, nil for all.
func (r *reach) back(which func(*ir.Func) bool, f func(*Site)) {
	seen := make([]bool, len(r.callees))
	for _, fi := range r.taken {
		if which == nil || which(r.x.slice.Funcs[fi]) {
			r.mark(fi, seen)
		}
	}
	for fi, ok := range seen {
		if ok {
			for _, s := range r.x.siteFuncs[fi] {
				f(s.site)
			}
		}
	}
}

// from calls f for each panic site that a stack can still reach, its own place included.
func (r *reach) from(top *frame, f func(*Site)) {
	seen := make([]bool, len(r.callees))
	for fr := top; fr != nil; fr = fr.parent {
		r.within(fr, seen, f)
	}
	// What is called from there was marked; a function is walked once as a whole.
	for fi, ok := range seen {
		if ok {
			for _, s := range r.x.siteFuncs[fi] {
				f(s.site)
			}
		}
	}
}

// within walks the blocks that a frame can still reach and marks what they call.
func (r *reach) within(fr *frame, seen []bool, f func(*Site)) {
	fl := fr.flow
	visited := make([]bool, len(fl.fn.Blocks))
	work := append([]int(nil), fl.succ[fr.block]...)
	r.block(fl, fr.block, fr.inst, seen, f)
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		if visited[b] {
			continue
		}
		visited[b] = true
		r.block(fl, b, 0, seen, f)
		work = append(work, fl.succ[b]...)
	}
}

func (r *reach) block(fl *flow, b, inst int, seen []bool, f func(*Site)) {
	for _, s := range r.x.siteFuncs[fl.index] {
		if s.block == b && s.inst >= inst {
			f(s.site)
		}
	}
	for _, in := range fl.fn.Blocks[b].Insts[inst:] {
		for _, c := range r.x.callees(in) {
			r.mark(c, seen)
		}
	}
}

func (r *reach) mark(fi int, seen []bool) {
	if fi < 0 {
		for _, t := range r.taken {
			r.mark(t, seen)
		}
		return
	}
	work := []int{fi}
	for len(work) > 0 {
		g := work[len(work)-1]
		work = work[:len(work)-1]
		if g < 0 {
			work = append(work, r.unseen(seen)...)
			continue
		}
		if seen[g] {
			continue
		}
		seen[g] = true
		work = append(work, r.callees[g]...)
	}
}

func (r *reach) unseen(seen []bool) []int {
	var out []int
	for _, t := range r.taken {
		if !seen[t] {
			out = append(out, t)
		}
	}
	return out
}
