package exec

import "github.com/kvfarm/kvfarm/engine/ir"

// reach answers which panic sites code can reach from a place, by looking at
// the code alone. It is what an abandoned path leaves undecided.
type reach struct {
	x       *exec
	callees [][]int // by function
	taken   []int   // functions whose address is taken: what code outside can call
	// alike are the functions whose address is taken, by type: an indirect call of
	// another type is undefined. classes numbers the types. What such a call leads
	// to may be code outside, which can call any of them.
	alike   [][]int
	classes map[string]int
	formats []bool // functions that those which format lead to, once asked for
}

// Callees that are no functions of the slice.
const (
	anyTaken     = -1 // every function whose address is taken
	anyFormatter = -2 // those of them that format a value: printk calls them back
	anyFunction  = -3 // every function: what is left out of the slice may call them, as they are
	firstClass   = -4 // those of class 0; then downwards
)

func newReach(x *exec) *reach {
	r := &reach{x: x, callees: make([][]int, len(x.slice.Funcs)), classes: map[string]int{}}
	taken := map[int]bool{}
	for fi, fn := range x.slice.Funcs {
		for _, b := range fn.Blocks {
			for _, in := range b.Insts {
				r.callees[fi] = append(r.callees[fi], r.of(in)...)
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
			c := r.class(&x.slice.Funcs[fi].Sig)
			r.alike[c] = append(r.alike[c], fi)
		}
	}
	return r
}

// class numbers the types of functions.
func (r *reach) class(sig *ir.Sig) int {
	key := sig.Ret.Type.String()
	for i := range sig.Params {
		key += " " + sig.Params[i].Type.String()
	}
	c, ok := r.classes[key]
	if !ok {
		c = len(r.alike)
		r.classes[key] = c
		r.alike = append(r.alike, nil)
	}
	return c
}

// of returns the functions that an instruction calls directly, a class where it
// calls through a pointer, and anyTaken where code outside of the slice may call back.
func (r *reach) of(in *ir.Inst) []int {
	x := r.x
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
		e := x.slice.Externs[in.Args[0].Index]
		switch {
		case e.Panic != "":
			return nil
		case e.Omitted:
			return []int{anyFunction}
		}
		if back, ok := callsBack(e.Symbol); ok {
			return back
		}
	default:
		if in.CallSig != nil {
			return []int{firstClass - r.class(in.CallSig)}
		}
	}
	return []int{anyTaken}
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
// calling a function whose address is taken and that which allows. If narrow, those
// call nothing outside but what is like them.
func (r *reach) back(which func(int) bool, narrow bool, f func(*Site)) {
	seen := r.noneSeen()
	for _, fi := range r.taken {
		if which(fi) {
			r.mark(fi, narrow, seen)
		}
	}
	r.sites(seen, f)
}

// noneSeen is a set of functions, and a place behind them for anyFormatter.
func (r *reach) noneSeen() []bool { return make([]bool, len(r.callees)+1) }

// sites calls f for each panic site of the functions that were seen.
func (r *reach) sites(seen []bool, f func(*Site)) {
	n := len(r.callees)
	for fi := range n {
		if seen[fi] || seen[n] && r.formatting()[fi] {
			for _, s := range r.x.siteFuncs[fi] {
				f(s.site)
			}
		}
	}
}

// formatting returns the functions that those which format a value lead to, when C calls them.
func (r *reach) formatting() []bool {
	if r.formats == nil {
		r.formats = r.noneSeen()
		for _, fi := range r.taken {
			if isFormatter(r.x.slice.Funcs[fi]) {
				r.mark(fi, true, r.formats)
			}
		}
	}
	return r.formats
}

// from calls f for each panic site that a stack can still reach, its own place included.
func (r *reach) from(top *frame, f func(*Site)) {
	seen := r.noneSeen()
	for fr := top; fr != nil; fr = fr.parent {
		r.within(fr, seen, f)
	}
	// What is called from there was marked; a function is walked once as a whole.
	r.sites(seen, f)
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
		for _, c := range r.of(in) {
			r.mark(c, false, seen)
		}
	}
}

// mark marks what a callee leads to. If narrow, calls through pointers stay within the slice.
func (r *reach) mark(callee int, narrow bool, seen []bool) {
	work := []int{callee}
	for len(work) > 0 {
		g := work[len(work)-1]
		work = work[:len(work)-1]
		switch {
		case g == anyTaken || g <= firstClass && !narrow:
			work = append(work, unseen(r.taken, seen)...)
		case g == anyFormatter:
			seen[len(r.callees)] = true
		case g == anyFunction:
			for fi := range r.callees {
				seen[fi] = seen[fi] || !r.x.isHolder(fi)
			}
		case g <= firstClass:
			work = append(work, unseen(r.alike[firstClass-g], seen)...)
		case !seen[g]:
			seen[g] = true
			work = append(work, r.callees[g]...)
		}
	}
}

func unseen(fs []int, seen []bool) []int {
	var out []int
	for _, f := range fs {
		if !seen[f] {
			out = append(out, f)
		}
	}
	return out
}
