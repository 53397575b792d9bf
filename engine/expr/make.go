package expr

import "fmt"

// make returns the normal form of n: ordered, folded, rewritten, interned.
func (b *Builder) make(n node) Expr {
	if n.op.commutes() && b.after(n.a, n.b) {
		n.a, n.b = n.b, n.a
	}
	if e := b.lookup(&n); e != None {
		return e // what is interned is in normal form
	}
	slot := &b.done[n.hash()%uint32(len(b.done))]
	if slot.to != None && slot.from == n {
		return slot.to
	}
	e := b.simplify(n)
	if e == None {
		if e = b.intern(n); b.nodes[e.node()].op != OpConst {
			return e
		}
	}
	// Simplifying may have changed what the slot holds. It may have moved the table too: then this is forgotten.
	*slot = rewritten{n, e}
	return e
}

// rewritten remembers the normal form of an operation that is not its own.
// Without it, walks down long chains of ITE would be repeated.
type rewritten struct {
	from node
	to   Expr
}

func (b *Builder) simplify(n node) Expr {
	if e := b.fold(n); e != None {
		return e
	}
	for i := range rules[n.op] {
		if e := rules[n.op][i].rewrite(b, n); e != None {
			return e
		}
	}
	return b.known(n)
}

// after reports whether x belongs behind y: constants come first, then age.
func (b *Builder) after(x, y Expr) bool {
	if cx, cy := b.IsConst(x), b.IsConst(y); cx != cy {
		return cy
	}
	return x > y
}

// fold computes n if its arguments are constants.
func (b *Builder) fold(n node) Expr {
	var v [3]Value
	args := [...]Expr{n.a, n.b, n.c}
	for i, arg := range args[:opArity[n.op]] {
		var ok bool
		if v[i], ok = b.Value(arg); !ok {
			return None
		}
	}
	return b.ConstValue(apply(n.op, int(n.width), b.argWidth(&n), int(n.aux), v[0], v[1], v[2]), int(n.width))
}

// argWidth is the width of the argument that a meaning depends on.
func (b *Builder) argWidth(n *node) int {
	if n.op == OpConcat || n.op == OpITE {
		return b.Width(n.b)
	}
	return b.Width(n.a)
}

// binary makes an operation on two arguments of one width.
func (b *Builder) binary(op Op, x, y Expr) Expr {
	return b.make(node{op: op, width: b.same(op, x, y), a: x, b: y})
}

// predicate makes a truth value from two arguments of one width.
func (b *Builder) predicate(op Op, x, y Expr) Expr {
	b.same(op, x, y)
	return b.make(node{op: op, width: 1, a: x, b: y})
}

func (b *Builder) same(op Op, x, y Expr) uint16 {
	wx, wy := b.nodes[x.node()].width, b.nodes[y.node()].width
	if wx != wy || wx == 0 {
		panic(fmt.Sprintf("expr: %v of widths %d and %d", op, wx, wy))
	}
	return wx
}

// Not returns the bitwise complement.
func (b *Builder) Not(x Expr) Expr { return x ^ 1 }

// And returns the bitwise conjunction.
func (b *Builder) And(x, y Expr) Expr { return b.binary(OpAnd, x, y) }

// Or returns the bitwise disjunction.
func (b *Builder) Or(x, y Expr) Expr { return b.And(x^1, y^1) ^ 1 }

// Xor returns the bitwise exclusive or.
func (b *Builder) Xor(x, y Expr) Expr { return b.binary(OpXor, x, y) }

// Implies returns Or(Not(x), y).
func (b *Builder) Implies(x, y Expr) Expr { return b.And(x, y^1) ^ 1 }

// Add returns x+y modulo 2^width.
func (b *Builder) Add(x, y Expr) Expr { return b.binary(OpAdd, x, y) }

// Sub returns x-y modulo 2^width, as Not(Not(x) + y).
func (b *Builder) Sub(x, y Expr) Expr { return b.Add(x^1, y) ^ 1 }

// Neg returns -x modulo 2^width, as Not(x - 1).
func (b *Builder) Neg(x Expr) Expr { return b.Add(x, b.ConstInt(-1, b.Width(x))) ^ 1 }

// Mul returns x*y modulo 2^width.
func (b *Builder) Mul(x, y Expr) Expr { return b.binary(OpMul, x, y) }

// UDiv returns the unsigned quotient, all ones if y is 0.
func (b *Builder) UDiv(x, y Expr) Expr { return b.binary(OpUDiv, x, y) }

// URem returns the unsigned remainder, x if y is 0.
func (b *Builder) URem(x, y Expr) Expr { return b.binary(OpURem, x, y) }

// SDiv returns the signed quotient rounded towards zero. If y is 0 it is 1 for
// negative x and -1 for others; MIN/-1 is MIN.
func (b *Builder) SDiv(x, y Expr) Expr { return b.binary(OpSDiv, x, y) }

// SRem returns the remainder of SDiv, with the sign of x; x if y is 0.
func (b *Builder) SRem(x, y Expr) Expr { return b.binary(OpSRem, x, y) }

// Shl returns x shifted left by y, 0 if y is at least the width.
func (b *Builder) Shl(x, y Expr) Expr { return b.binary(OpShl, x, y) }

// LShr returns x shifted right by y, 0 if y is at least the width.
func (b *Builder) LShr(x, y Expr) Expr { return b.binary(OpLShr, x, y) }

// AShr returns x shifted right by y with copies of its sign.
func (b *Builder) AShr(x, y Expr) Expr { return b.binary(OpAShr, x, y) }

// Eq returns whether x and y are equal.
func (b *Builder) Eq(x, y Expr) Expr { return b.predicate(OpEq, x, y) }

// Ne returns whether x and y differ.
func (b *Builder) Ne(x, y Expr) Expr { return b.Eq(x, y) ^ 1 }

// Ult returns whether x < y, unsigned.
func (b *Builder) Ult(x, y Expr) Expr { return b.predicate(OpUlt, x, y) }

// Ule returns whether x <= y, unsigned.
func (b *Builder) Ule(x, y Expr) Expr { return b.Ult(y, x) ^ 1 }

// Slt returns whether x < y, signed.
func (b *Builder) Slt(x, y Expr) Expr { return b.predicate(OpSlt, x, y) }

// Sle returns whether x <= y, signed.
func (b *Builder) Sle(x, y Expr) Expr { return b.Slt(y, x) ^ 1 }

// UMulOvf returns whether the unsigned product of x and y overflows.
func (b *Builder) UMulOvf(x, y Expr) Expr { return b.predicate(OpUMulOvf, x, y) }

// SMulOvf returns whether the signed product of x and y overflows.
func (b *Builder) SMulOvf(x, y Expr) Expr { return b.predicate(OpSMulOvf, x, y) }

// ITE returns x where cond holds and y where it does not.
func (b *Builder) ITE(cond, x, y Expr) Expr {
	if b.Width(cond) != 1 {
		panic(fmt.Sprintf("expr: condition of width %d", b.Width(cond)))
	}
	return b.make(node{op: OpITE, width: b.same(OpITE, x, y), a: cond, b: x, c: y})
}

// Concat returns hi and lo side by side.
func (b *Builder) Concat(hi, lo Expr) Expr {
	w := b.Width(hi) + b.Width(lo)
	checkWidth(w)
	return b.make(node{op: OpConcat, width: uint16(w), a: hi, b: lo})
}

// Extract returns the width bits of x from bit lo on.
func (b *Builder) Extract(x Expr, lo, width int) Expr {
	if lo < 0 || width < 1 || lo+width > b.Width(x) {
		panic(fmt.Sprintf("expr: bits %d+%d of width %d", lo, width, b.Width(x)))
	}
	if width == b.Width(x) {
		return x
	}
	return b.make(node{op: OpExtract, width: uint16(width), aux: uint32(lo), a: x})
}

// ZExt returns x with zeros above it, width bits in all.
func (b *Builder) ZExt(x Expr, width int) Expr { return b.extend(OpZExt, x, width) }

// SExt returns x with copies of its highest bit above it, width bits in all.
func (b *Builder) SExt(x Expr, width int) Expr { return b.extend(OpSExt, x, width) }

func (b *Builder) extend(op Op, x Expr, width int) Expr {
	checkWidth(width)
	switch w := b.Width(x); {
	case w == width:
		return x
	case w > width:
		panic(fmt.Sprintf("expr: %v of width %d to %d", op, w, width))
	}
	return b.make(node{op: op, width: uint16(width), a: x})
}
