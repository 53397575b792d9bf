package ir

// domTree holds the dominators of a function's blocks, by the algorithm of
// Cooper, Harvey and Kennedy.
type domTree struct {
	idom  []int // immediate dominator, -1 if the block cannot be reached
	order []int // place in reverse postorder
	depth []int // distance from the entry in the tree
}

// Succs returns the blocks that block b may go to.
func (f *Func) Succs(b int) []int {
	insts := f.Blocks[b].Insts
	return insts[len(insts)-1].Targets
}

// postorder lists the reachable blocks, each after what it leads to.
func (f *Func) postorder() []int {
	type frame struct{ block, next int }
	seen := make([]bool, len(f.Blocks))
	seen[0] = true
	stack := []frame{{0, 0}}
	var out []int
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		succs := f.Succs(top.block)
		if top.next == len(succs) {
			out = append(out, top.block)
			stack = stack[:len(stack)-1]
			continue
		}
		s := succs[top.next]
		top.next++
		if !seen[s] {
			seen[s] = true
			stack = append(stack, frame{s, 0})
		}
	}
	return out
}

func dominators(f *Func) *domTree {
	n := len(f.Blocks)
	d := &domTree{idom: make([]int, n), order: make([]int, n), depth: make([]int, n)}
	for b := range d.idom {
		d.idom[b] = -1
	}
	post := f.postorder()
	preds := make([][]int, n)
	for i, b := range post {
		d.order[b] = len(post) - 1 - i
		for _, s := range f.Succs(b) {
			preds[s] = append(preds[s], b)
		}
	}
	d.idom[0] = 0
	for changed := true; changed; {
		changed = false
		for i := len(post) - 2; i >= 0; i-- {
			if b := post[i]; d.update(b, preds[b]) {
				changed = true
			}
		}
	}
	for i := len(post) - 2; i >= 0; i-- {
		d.depth[post[i]] = d.depth[d.idom[post[i]]] + 1
	}
	return d
}

func (d *domTree) update(b int, preds []int) bool {
	idom := -1
	for _, p := range preds {
		switch {
		case d.idom[p] < 0:
		case idom < 0:
			idom = p
		default:
			idom = d.meet(idom, p)
		}
	}
	changed := d.idom[b] != idom
	d.idom[b] = idom
	return changed
}

func (d *domTree) meet(a, b int) int {
	for a != b {
		for d.order[a] > d.order[b] {
			a = d.idom[a]
		}
		for d.order[b] > d.order[a] {
			b = d.idom[b]
		}
	}
	return a
}

func (d *domTree) reachable(b int) bool { return d.idom[b] >= 0 }

// dominates reports whether every way to b goes through a.
func (d *domTree) dominates(a, b int) bool {
	if !d.reachable(a) || !d.reachable(b) {
		return false
	}
	for d.depth[b] > d.depth[a] {
		b = d.idom[b]
	}
	return a == b
}
