package expr

import "slices"

// Vars returns the variables in es, oldest first. Elements of free arrays are
// not among them; see FreeReads.
func (b *Builder) Vars(es ...Expr) []Expr {
	var out []Expr
	last := []Source(nil)
	for _, e := range es {
		set := b.Support(e)
		if len(set) == 0 || len(set) == len(last) && &set[0] == &last[0] { // sets are kept once
			continue
		}
		last = set
		for _, src := range set {
			if src%2 == 0 {
				out = append(out, b.vars[src/2].expr)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// FreeReads returns the reads of free arrays in es, oldest first. It looks only
// at what depends on such an array.
func (b *Builder) FreeReads(es ...Expr) []Expr {
	if len(b.arrays) == 0 {
		return nil
	}
	var out []Expr
	seen := map[Expr]bool{}
	done := func(x Expr) bool { return seen[x] || !b.readsFree(x) }
	for _, e := range es {
		b.Support(e) // of all nodes below
		b.Walk(e, done, func(x Expr) {
			seen[x] = true
			if n := &b.nodes[x.node()]; n.op == OpRead && b.arrays[n.aux].free {
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
