package expr

import "slices"

// Vars returns the variables in es, oldest first. Elements of free arrays are
// not among them; see FreeReads.
func (b *Builder) Vars(es ...Expr) []Expr {
	var out []Expr
	b.Walk(func(e Expr) {
		if b.nodes[e.node()].op == OpVar {
			out = append(out, e)
		}
	}, es...)
	return out
}

// FreeReads returns the reads of free arrays in es, oldest first.
func (b *Builder) FreeReads(es ...Expr) []Expr {
	var out []Expr
	b.Walk(func(e Expr) {
		if n := &b.nodes[e.node()]; n.op == OpRead && b.arrays[n.aux].free {
			out = append(out, e)
		}
	}, es...)
	return out
}

// Walk calls f for each node below es once, arguments before what uses them.
// The complement marks are dropped.
func (b *Builder) Walk(f func(Expr), es ...Expr) {
	seen := map[uint32]bool{}
	var order, stack []uint32
	for _, e := range es {
		stack = append(stack, e.node())
	}
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[id] {
			continue
		}
		seen[id] = true
		order = append(order, id)
		n := &b.nodes[id]
		args := [...]Expr{n.a, n.b, n.c}
		for _, arg := range args[:opArity[n.op]] {
			stack = append(stack, arg.node())
		}
	}
	slices.Sort(order) // arguments are older
	for _, id := range order {
		f(Expr(id << 1))
	}
}
