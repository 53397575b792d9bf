package expr

// What rules match with.

// rule is one step of simplification: from an operation that is about to be
// made to an equal expression, or None where it does not apply. The arguments
// in n are in normal form, and for operators that commute a constant comes first.
type rule struct {
	name    string
	rewrite func(b *Builder, n node) Expr
}

// rules holds the rules by operator, tried in order. It is filled by init
// functions because the rules make expressions, which tries rules.
var rules [numOps][]rule

// as returns e's node if its operator is op, else nil. A complement is no match.
func (b *Builder) as(e Expr, op Op) *node {
	if n := &b.nodes[e.node()]; !e.neg() && n.op == op {
		return n
	}
	return nil
}

// isZero, isOnes and isOne recognise constants of any width.
func (b *Builder) isZero(e Expr) bool {
	n := &b.nodes[e.node()]
	if n.op != OpConst {
		return false
	}
	if n.width <= 64 {
		return n.a|n.b == 0 && !e.neg()
	}
	return !e.neg() && b.bigs[n.facts-1].Sign() == 0
}

func (b *Builder) isOnes(e Expr) bool { return b.isZero(e ^ 1) }

func (b *Builder) isOne(e Expr) bool {
	v, ok := b.Value(e)
	return ok && v.wide == nil && v.lo == 1
}

// powerOf returns k if e is the constant 2^k.
func (b *Builder) powerOf(e Expr) (k int, ok bool) {
	if !b.IsConst(e) {
		return 0, false
	}
	v, _ := b.Value(e)
	n := v.Big()
	if n.Sign() == 0 {
		return 0, false
	}
	k = int(n.TrailingZeroBits())
	return k, n.BitLen() == k+1
}

// lowMask returns k if e is the constant of k ones at the bottom.
func (b *Builder) lowMask(e Expr) (k int, ok bool) {
	if !b.IsConst(e) {
		return 0, false
	}
	v, _ := b.Value(e)
	n := v.Big()
	k = n.BitLen()
	return k, k > 0 && n.Cmp(maskBig(k)) == 0
}

func (b *Builder) zero(width int) Expr { return b.Const(0, width) }

// splits reports whether e can be taken apart at bit k for free: as a
// concatenation there, a zero extension whose argument ends at or below k, or a constant.
func (b *Builder) splits(e Expr, k int) bool {
	n := &b.nodes[e.node()]
	switch n.op {
	case OpConcat:
		return b.Width(n.b) == k
	case OpZExt:
		return b.Width(n.a) <= k
	}
	return n.op == OpConst
}

// concatAt returns the place where e is concatenated, 0 if it is not.
func (b *Builder) concatAt(e Expr) int {
	if n := &b.nodes[e.node()]; n.op == OpConcat {
		return b.Width(n.b)
	}
	return 0
}
