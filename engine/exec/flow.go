package exec

import "github.com/kvfarm/kvfarm/engine/ir"

// flow is what is known of one function's control flow: the position of every
// block in a weak topological order, the loops, and which registers are live.
type flow struct {
	fn    *ir.Func
	index int
	base  []int   // flat index of each block's first instruction
	succ  [][]int // by block, without duplicates, in order
	loops []loop
	pos   []place // by block
	live  [][]uint64
	total int

	reached []bool // by block: the entry leads there
	doomed  []bool // by block: it ends in unreachable, and so does all it leads to
}

// loop is a strongly connected part of the graph, entered through its head.
type loop struct {
	head, depth int
	rank        int // among its siblings
	parent      int // -1 if outermost
}

// place is where a block stands: its rank among its siblings within its innermost loop.
type place struct {
	rank int
	loop int // innermost, -1 if none
}

func newFlow(fn *ir.Func, index int) *flow {
	f := &flow{fn: fn, index: index, base: make([]int, len(fn.Blocks)), succ: make([][]int, len(fn.Blocks)), pos: make([]place, len(fn.Blocks))}
	for i, b := range fn.Blocks {
		f.base[i] = f.total
		f.total += len(b.Insts)
		f.succ[i] = successors(b)
	}
	f.order()
	f.reach()
	f.doom()
	f.liveness()
	return f
}

func terminator(b *ir.Block) *ir.Inst { return b.Insts[len(b.Insts)-1] }

func successors(b *ir.Block) []int {
	var out []int
	for _, t := range terminator(b).Targets {
		if !contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

func contains(xs []int, x int) bool {
	for _, y := range xs {
		if y == x {
			return true
		}
	}
	return false
}

// order finds the loops by taking strongly connected components apart: each
// component with a cycle is a loop whose head is its first block in depth-first
// order; without the edges to the head it falls into smaller components. Where
// a loop can be entered beside its head (no compiler of Rust makes such) the
// order is only less apt for merging, not wrong.
func (f *flow) order() {
	all := make([]int, 0, len(f.succ))
	for i := range f.succ {
		f.pos[i] = place{loop: -1}
		all = append(all, i)
	}
	f.split(all, 0, -1, -1)
}

// split orders the blocks of one loop body. Edges to head are cut.
func (f *flow) split(blocks []int, start, head, outer int) {
	inside := make(map[int]bool, len(blocks))
	for _, b := range blocks {
		inside[b] = true
	}
	comps := components(start, blocks, func(b int) []int {
		var out []int
		for _, s := range f.succ[b] {
			if inside[s] && s != head {
				out = append(out, s)
			}
		}
		return out
	})
	for rank, c := range comps {
		f.place(c, rank, head, outer)
	}
}

func (f *flow) place(comp []int, rank, head, outer int) {
	first := comp[0]
	if len(comp) == 1 && (first == head || !contains(f.succ[first], first)) {
		f.pos[first] = place{rank: rank, loop: outer}
		return
	}
	depth := 0
	if outer >= 0 {
		depth = f.loops[outer].depth + 1
	}
	f.loops = append(f.loops, loop{head: first, depth: depth, rank: rank, parent: outer})
	f.split(comp, first, first, len(f.loops)-1)
}

// components returns the strongly connected components in topological order,
// those not reached from start last. A component's first element is the one
// that a depth-first walk from start meets first.
func components(start int, nodes []int, succ func(int) []int) [][]int {
	t := tarjan{succ: succ, num: make(map[int]int, len(nodes)), low: make(map[int]int, len(nodes)), on: make(map[int]bool)}
	t.visit(start)
	reached := len(t.out)
	for _, n := range nodes {
		if t.num[n] == 0 {
			t.visit(n)
		}
	}
	out := make([][]int, 0, len(t.out))
	for i := reached - 1; i >= 0; i-- {
		out = append(out, t.out[i])
	}
	for i := len(t.out) - 1; i >= reached; i-- {
		out = append(out, t.out[i])
	}
	return out
}

type tarjan struct {
	succ     func(int) []int
	num, low map[int]int
	on       map[int]bool
	stack    []int
	out      [][]int
}

// visit walks with a stack of its own: functions of ten thousand blocks in a row exist.
func (t *tarjan) visit(root int) {
	type step struct {
		node int
		succ []int
	}
	var work []step
	open := func(n int) {
		t.num[n] = len(t.num) + 1
		t.low[n] = t.num[n]
		t.stack = append(t.stack, n)
		t.on[n] = true
		work = append(work, step{n, t.succ(n)})
	}
	open(root)
	for len(work) > 0 {
		top := &work[len(work)-1]
		if len(top.succ) == 0 {
			n := top.node
			work = work[:len(work)-1]
			t.close(n)
			if len(work) > 0 {
				p := work[len(work)-1].node
				t.low[p] = min(t.low[p], t.low[n])
			}
			continue
		}
		s := top.succ[0]
		top.succ = top.succ[1:]
		switch {
		case t.num[s] == 0:
			open(s)
		case t.on[s]:
			t.low[top.node] = min(t.low[top.node], t.num[s])
		}
	}
}

func (t *tarjan) close(n int) {
	if t.low[n] != t.num[n] {
		return
	}
	for i := len(t.stack) - 1; ; i-- {
		t.on[t.stack[i]] = false
		if t.stack[i] == n {
			t.out = append(t.out, append([]int(nil), t.stack[i:]...))
			t.stack = t.stack[:i]
			return
		}
	}
}

// contains reports whether block b lies in loop l.
func (f *flow) contains(l, b int) bool {
	for x := f.pos[b].loop; x >= 0; x = f.loops[x].parent {
		if x == l {
			return true
		}
	}
	return false
}

// leaves reports whether an edge leaves a loop.
func (f *flow) leaves(from, to int) bool {
	l := f.pos[from].loop
	return l >= 0 && !f.contains(l, to)
}

func (f *flow) reach() {
	f.reached = make([]bool, len(f.succ))
	work := []int{0}
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		if f.reached[b] {
			continue
		}
		f.reached[b] = true
		work = append(work, f.succ[b]...)
	}
}

// doom marks the blocks from which no run comes back: they lead to a panic.
func (f *flow) doom() {
	f.doomed = make([]bool, len(f.succ))
	for changed := true; changed; {
		changed = false
		for i := len(f.succ) - 1; i >= 0; i-- {
			if f.doomed[i] {
				continue
			}
			dead := terminator(f.fn.Blocks[i]).Op == ir.Unreachable || len(f.succ[i]) > 0
			for _, s := range f.succ[i] {
				dead = dead && f.doomed[s]
			}
			f.doomed[i], changed = dead, changed || dead
		}
	}
}
