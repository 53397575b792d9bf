package expr

// Rule is a rewrite rule as tests see it.
type Rule struct {
	Name string
	Op   Op
	rule rule
}

// Rules returns all rewrite rules.
func Rules() []Rule {
	var out []Rule
	for op := range rules {
		for _, r := range rules[op] {
			out = append(out, Rule{r.name, Op(op), r})
		}
	}
	return out
}

// Apply applies the rule to an operation that was not simplified, unless an earlier rule applies.
func (r Rule) Apply(b *Builder, width, lo int, args ...Expr) Expr {
	n := b.operation(r.Op, width, lo, args)
	if n.op.commutes() && b.after(n.a, n.b) {
		n.a, n.b = n.b, n.a
	}
	if b.fold(n) != None {
		return None // rules see no operation on constants only
	}
	for _, earlier := range rules[r.Op] {
		if earlier.name == r.Name {
			break
		}
		if earlier.rewrite(b, n) != None {
			return None
		}
	}
	return r.rule.rewrite(b, n)
}

// Make makes an operation with every rule.
func (b *Builder) Make(op Op, width, lo int, args ...Expr) Expr {
	return b.make(b.operation(op, width, lo, args))
}

// MakeRaw makes an operation without any rule.
func (b *Builder) MakeRaw(op Op, width, lo int, args ...Expr) Expr {
	return b.intern(b.operation(op, width, lo, args))
}

func (b *Builder) operation(op Op, width, lo int, args []Expr) node {
	n := node{op: op, width: uint16(width), aux: uint32(lo)}
	for i, to := range []*Expr{&n.a, &n.b, &n.c}[:len(args)] {
		*to = args[i]
	}
	return n
}

// Apply is the meaning of an operator on numbers.
func Apply(op Op, width, argWidth, lo int, x, y, z Value) Value {
	return apply(op, width, argWidth, lo, x, y, z)
}

// ApplyBig is the meaning where a width is over 64, at any width.
func ApplyBig(op Op, width, argWidth, lo int, x, y Value) Value {
	return applyBig(op, width, argWidth, lo, x, y)
}
