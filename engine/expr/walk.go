package expr

import "slices"

// Vars returns the variables in es, oldest first. Elements of free arrays are
// not among them; see FreeReads.
func (b *Builder) Vars(es ...Expr) []Expr {
	return b.collect(es, func(n *node) bool { return n.op == OpVar })
}

// FreeReads returns the reads of free arrays in es, oldest first.
func (b *Builder) FreeReads(es ...Expr) []Expr {
	return b.collect(es, func(n *node) bool { return n.op == OpRead && b.arrays[n.aux].free })
}

func (b *Builder) collect(es []Expr, keep func(*node) bool) []Expr {
	var out []Expr
	seen := map[Expr]bool{}
	for _, e := range es {
		b.Walk(e, func(x Expr) bool { return seen[x] }, func(x Expr) {
			seen[x] = true
			if keep(&b.nodes[x.node()]) {
				out = append(out, x)
			}
		})
	}
	slices.Sort(out)
	return out
}

// Walk calls visit for the nodes below e for which done is false, arguments
// before what uses them; below a done node it does not look. After visit(x),
// done(x) must hold. Complement marks are dropped.
func (b *Builder) Walk(e Expr, done func(Expr) bool, visit func(Expr)) {
	stack := []Expr{e &^ 1}
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		if done(x) {
			stack = stack[:len(stack)-1]
			continue
		}
		n := &b.nodes[x.node()]
		args := [...]Expr{n.a, n.b, n.c}
		waits := false
		for _, arg := range args[:opArity[n.op]] {
			if !done(arg &^ 1) {
				stack = append(stack, arg&^1)
				waits = true
			}
		}
		if !waits {
			stack = stack[:len(stack)-1]
			visit(x)
		}
	}
}
