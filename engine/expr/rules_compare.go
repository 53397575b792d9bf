package expr

import "math/big"

func init() {
	rules[OpEq] = eqRules
	rules[OpUlt] = ultRules
	rules[OpSlt] = sltRules
	rules[OpUMulOvf] = umulOvfRules
	rules[OpSMulOvf] = smulOvfRules
}

var eqRules = []rule{
	// x = x  =>  true        x = ~x  =>  false
	{"eq-same", func(b *Builder, n node) Expr {
		switch n.a {
		case n.b:
			return True
		case n.b ^ 1:
			return False
		}
		return None
	}},
	// x = y  =>  ~(x ^ y), at width 1
	{"eq-bit", func(b *Builder, n node) Expr {
		if b.Width(n.a) == 1 {
			return b.Xor(n.a, n.b) ^ 1
		}
		return None
	}},
	// ~x = y  =>  x = ~y        k = ~x  =>  ~k = x
	{"eq-complement", func(b *Builder, n node) Expr {
		if lead := n.a; lead.neg() && !b.IsConst(lead) || n.b.neg() && b.IsConst(lead) {
			return b.Eq(n.a^1, n.b^1)
		}
		return None
	}},
	// k1 = k2 + x  =>  k1 - k2 = x        k1 = k2 ^ x  =>  k1 ^ k2 = x
	{"eq-constants", func(b *Builder, n node) Expr {
		if !b.IsConst(n.a) {
			return None
		}
		if x := b.as(n.b, OpAdd); x != nil && b.IsConst(x.a) {
			return b.Eq(b.Sub(n.a, x.a), x.b)
		}
		if x := b.as(n.b, OpXor); x != nil && b.IsConst(x.a) {
			return b.Eq(b.Xor(n.a, x.a), x.b)
		}
		return None
	}},
	{"eq-split", eqSplit},
	{"eq-sext", eqSExt},
	{"eq-cancel", eqCancel},
	{"eq-scale", eqScale},
	{"eq-ite", eqITE},
	{"eq-branch", eqBranch},
	{"eq-choice", compareChoices},
}

// eq-split, where both sides come apart at the same bit, or at the end of what
// is extended:
//
//	concat(x, y) = concat(z, u)  =>  x = z & y = u
func eqSplit(b *Builder, n node) Expr {
	w := b.Width(n.a)
	for _, e := range [2]Expr{n.a, n.b} {
		at := b.concatAt(e)
		if x := b.as(e&^1, OpZExt); x != nil {
			at = b.Width(x.a)
		}
		if at > 0 && b.splits(n.a, at) && b.splits(n.b, at) {
			hi := b.Eq(b.Extract(n.a, at, w-at), b.Extract(n.b, at, w-at))
			if hi == False {
				return False
			}
			return b.And(hi, b.Eq(b.Trunc(n.a, at), b.Trunc(n.b, at)))
		}
	}
	return None
}

// eq-sext; v is the wider of the widths that are extended:
//
//	sext(x) = sext(y)  =>  sext(x, v) = sext(y, v)
//	k = sext(x)        =>  trunc(k) = x, or false where k is no sign extension
func eqSExt(b *Builder, n node) Expr {
	y := b.as(n.b&^1, OpSExt)
	if y == nil {
		return None
	}
	v := b.Width(y.a)
	if x := b.as(n.a&^1, OpSExt); x != nil {
		v = max(v, b.Width(x.a))
	} else if !b.IsConst(n.a) {
		return None
	} else if b.SExt(b.Trunc(n.a, v), b.Width(n.a)) != n.a {
		return False
	}
	return b.Eq(b.Trunc(n.a, v), b.Trunc(n.b, v))
}

// eq-cancel:
//
//	x = x + y      =>  y = 0
//	x + y = x + z  =>  y = z
func eqCancel(b *Builder, n node) Expr {
	mark := n.a & n.b & 1 // ~(x + y) = ~(x + z) is the same question
	x, y := b.as(n.a^mark, OpAdd), b.as(n.b^mark, OpAdd)
	for _, p := range [2]struct {
		sum  *node
		side Expr
	}{{x, n.b ^ mark}, {y, n.a ^ mark}} {
		switch {
		case p.sum == nil:
		case p.sum.a == p.side:
			return b.IsZero(p.sum.b)
		case p.sum.b == p.side:
			return b.IsZero(p.sum.a)
		}
	}
	if x == nil || y == nil {
		return None
	}
	switch {
	case x.a == y.a:
		return b.Eq(x.b, y.b)
	case x.a == y.b:
		return b.Eq(x.b, y.a)
	case x.b == y.a:
		return b.Eq(x.a, y.b)
	case x.b == y.b:
		return b.Eq(x.a, y.a)
	}
	return None
}

// eq-ite, where k1 is a constant and either k1 = x or k1 = y is known:
//
//	k1 = ite(c, x, y)  =>  c & k1 = x, where k1 = y is false
//	                   =>  c | k1 = y, where k1 = x is true
//
// and the two with the branches exchanged.
func eqITE(b *Builder, n node) Expr {
	y := b.as(n.b&^1, OpITE)
	if y == nil || !b.IsConst(n.a) {
		return None
	}
	mark := n.b & 1
	for _, p := range [2]struct{ cond, here, there Expr }{{y.a, y.b ^ mark, y.c ^ mark}, {y.a ^ 1, y.c ^ mark, y.b ^ mark}} {
		switch {
		case p.here == n.a:
			return b.Or(p.cond, b.Eq(n.a, p.there))
		case b.known(node{op: OpEq, width: 1, a: n.a, b: p.here}) == False:
			return b.And(p.cond^1, b.Eq(n.a, p.there))
		}
	}
	return None
}

// eq-branch:
//
//	x = ite(c, x, y)             =>  c | x = y, and so for the other branch
//	ite(c, x, y) = ite(c, z, u)  =>  ite(c, x = z, y = u)
func eqBranch(b *Builder, n node) Expr {
	for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
		y, mark := b.as(p[1]&^1, OpITE), p[1]&1
		switch {
		case y == nil:
		case y.b^mark == p[0]:
			return b.Or(y.a, b.Eq(p[0], y.c^mark))
		case y.c^mark == p[0]:
			return b.Or(y.a^1, b.Eq(p[0], y.b^mark))
		}
	}
	x, y := b.as(n.a&^1, OpITE), b.as(n.b&^1, OpITE)
	if x == nil || y == nil || x.a != y.a {
		return None
	}
	return b.ITE(x.a, b.Eq(x.b^n.a&1, y.b^n.b&1), b.Eq(x.c^n.a&1, y.c^n.b&1))
}

var ultRules = []rule{
	// x < y  =>  ~x & y, at width 1
	{"ult-bit", func(b *Builder, n node) Expr {
		if b.Width(n.a) == 1 {
			return b.And(n.a^1, n.b)
		}
		return None
	}},
	{"ult-limit", ultLimit},
	// ~x < ~y  =>  y < x, where neither is a constant or both are one and a complement
	{"ult-complement", func(b *Builder, n node) Expr {
		x, y := n.a.neg() && !b.IsConst(n.a), n.b.neg() && !b.IsConst(n.b)
		if x && (y || b.IsConst(n.b)) || y && b.IsConst(n.a) {
			return b.Ult(n.b^1, n.a^1)
		}
		return None
	}},
	{"ult-order", compareOrder},
	{"ult-carry", ultCarry},
	{"ult-zext", ultZExt},
	// concat(x, y) < concat(x, z)  =>  y < z        concat(x, y) < concat(z, y)  =>  x < z
	{"ult-concat", func(b *Builder, n node) Expr {
		w := b.Width(n.a)
		for _, at := range [2]int{b.concatAt(n.a), b.concatAt(n.b)} {
			if at == 0 || !b.splits(n.a, at) || !b.splits(n.b, at) {
				continue
			}
			if b.Extract(n.a, at, w-at) == b.Extract(n.b, at, w-at) {
				return b.Ult(b.Trunc(n.a, at), b.Trunc(n.b, at))
			}
			if b.Trunc(n.a, at) == b.Trunc(n.b, at) {
				return b.Ult(b.Extract(n.a, at, w-at), b.Extract(n.b, at, w-at))
			}
		}
		return None
	}},
	// sext(x) < sext(y)  =>  x < y, where x and y have one width
	{"ult-sext", func(b *Builder, n node) Expr {
		x, y := b.as(n.a&^1, OpSExt), b.as(n.b&^1, OpSExt)
		if x != nil && y != nil && b.Width(x.a) == b.Width(y.a) {
			return b.Ult(x.a^n.a&1, y.a^n.b&1)
		}
		return None
	}},
	{"ult-scale", ultScale},
	{"ult-ite", compareITE},
	{"ult-branch", compareBranch},
	{"ult-choice", compareChoices},
}

// ult-limit:
//
//	x < x        =>  false
//	x < 0        =>  false         x < 1        =>  x = 0
//	~0 < x       =>  false         ~1 < x       =>  x = ~0
//	0 < x        =>  ~(x = 0)      x < ~0       =>  ~(x = ~0)
func ultLimit(b *Builder, n node) Expr {
	switch {
	case n.a == n.b || b.isZero(n.b) || b.isOnes(n.a):
		return False
	case b.isOne(n.b):
		return b.IsZero(n.a)
	case b.isOne(n.a ^ 1):
		return b.IsZero(n.b ^ 1)
	case b.isZero(n.a):
		return b.IsZero(n.b) ^ 1
	case b.isOnes(n.b):
		return b.IsZero(n.a^1) ^ 1
	}
	return None
}

// ult-zext; v is the wider of the widths that are extended:
//
//	zext(x) < zext(y)  =>  zext(x, v) < zext(y, v)
//	zext(x) < k        =>  x < trunc(k), or true where k does not fit x
//	k < zext(x)        =>  trunc(k) < x, or false where k does not fit x
func ultZExt(b *Builder, n node) Expr {
	x, y := b.as(n.a, OpZExt), b.as(n.b, OpZExt)
	v := 0
	switch {
	case x != nil && y != nil:
		v = max(b.Width(x.a), b.Width(y.a))
	case x != nil && b.IsConst(n.b):
		if v = b.Width(x.a); !b.isZero(b.Extract(n.b, v, b.Width(n.b)-v)) {
			return True
		}
	case y != nil && b.IsConst(n.a):
		if v = b.Width(y.a); !b.isZero(b.Extract(n.a, v, b.Width(n.a)-v)) {
			return False
		}
	default:
		return None
	}
	return b.Ult(b.Trunc(n.a, v), b.Trunc(n.b, v))
}

// ult-ite, slt-ite, where k is a constant and comparing with one branch is
// known to give t:
//
//	k < ite(c, x, y)  =>  ite(c, t, k < y), and so for the other branch and side
func compareITE(b *Builder, n node) Expr {
	for _, left := range [2]bool{true, false} {
		k, e := n.b, n.a
		if !left {
			k, e = n.a, n.b
		}
		x, mark := b.as(e&^1, OpITE), e&1
		if x == nil || !b.IsConst(k) {
			continue
		}
		with := func(branch Expr) node {
			m := n
			if left {
				m.a = branch ^ mark
			} else {
				m.b = branch ^ mark
			}
			return m
		}
		if t := b.known(with(x.b)); t != None {
			return b.ITE(x.a, t, b.make(with(x.c)))
		}
		if t := b.known(with(x.c)); t != None {
			return b.ITE(x.a, b.make(with(x.b)), t)
		}
	}
	return None
}

// ult-branch, slt-branch, where x < z or y < u is known:
//
//	ite(c, x, y) < ite(c, z, u)  =>  ite(c, x < z, y < u)
func compareBranch(b *Builder, n node) Expr {
	x, y := b.as(n.a&^1, OpITE), b.as(n.b&^1, OpITE)
	if x == nil || y == nil || x.a != y.a {
		return None
	}
	then, els := n, n
	then.a, then.b = x.b^n.a&1, y.b^n.b&1
	els.a, els.b = x.c^n.a&1, y.c^n.b&1
	if then.a != then.b && els.a != els.b && b.known(then) == None && b.known(els) == None {
		return None
	}
	return b.ITE(x.a, b.make(then), b.make(els))
}

var sltRules = []rule{
	// x < x  =>  false
	{"slt-same", func(b *Builder, n node) Expr {
		if n.a == n.b {
			return False
		}
		return None
	}},
	// x < y  =>  x & ~y, at width 1
	{"slt-bit", func(b *Builder, n node) Expr {
		if b.Width(n.a) == 1 {
			return b.And(n.a, n.b^1)
		}
		return None
	}},
	// x < 0  =>  sign(x)        -1 < x  =>  ~sign(x)
	{"slt-sign", func(b *Builder, n node) Expr {
		switch {
		case b.isZero(n.b):
			return b.Sign(n.a)
		case b.isOnes(n.a):
			return b.Sign(n.b) ^ 1
		}
		return None
	}},
	// x < y, signed  =>  x < y, unsigned, where the signs are known to be the same
	{"slt-unsigned", func(b *Builder, n node) Expr {
		if s := b.signKnown(n.a); s != 0 && s == b.signKnown(n.b) {
			return b.Ult(n.a, n.b)
		}
		return None
	}},
	// ~x < ~y  =>  y < x, where neither is a constant or both are one and a complement
	{"slt-complement", func(b *Builder, n node) Expr {
		x, y := n.a.neg() && !b.IsConst(n.a), n.b.neg() && !b.IsConst(n.b)
		if x && (y || b.IsConst(n.b)) || y && b.IsConst(n.a) {
			return b.Slt(n.b^1, n.a^1)
		}
		return None
	}},
	{"slt-order", compareOrder},
	{"slt-sext", sltSExt},
	{"slt-scale", sltScale},
	{"slt-ite", compareITE},
	{"slt-branch", compareBranch},
	{"slt-choice", compareChoices},
}

// slt-sext; v is the wider of the widths that are extended, and k is the sign
// extension of its lowest v bits:
//
//	sext(x) < sext(y)  =>  sext(x, v) < sext(y, v)
//	sext(x) < k        =>  x < trunc(k), and so for the other side
func sltSExt(b *Builder, n node) Expr {
	v := 0
	for _, e := range [2]Expr{n.a, n.b} {
		if x := b.as(e&^1, OpSExt); x != nil {
			v = max(v, b.Width(x.a))
		} else if !b.IsConst(e) {
			return None
		}
	}
	for _, e := range [2]Expr{n.a, n.b} {
		if b.IsConst(e) && b.SExt(b.Trunc(e, v), b.Width(e)) != e {
			return None
		}
	}
	return b.Slt(b.Trunc(n.a, v), b.Trunc(n.b, v))
}

var umulOvfRules = []rule{
	// umulovf(0, x)  =>  false        umulovf(k, x)  =>  MAX/k < x
	{"umulovf-constant", func(b *Builder, n node) Expr {
		if !b.IsConst(n.a) {
			return None
		}
		if b.isZero(n.a) {
			return False
		}
		return b.Ult(b.UDiv(b.zero(b.Width(n.a))^1, n.a), n.b)
	}},
	{"umulovf-choice", ovfChoice},
	// umulovf(x, y)  =>  false, at width 1
	{"umulovf-bit", func(b *Builder, n node) Expr {
		if b.Width(n.a) == 1 {
			return False
		}
		return None
	}},
}

var smulOvfRules = []rule{
	{"smulovf-constant", smulOvfConstant},
	{"smulovf-choice", ovfChoice},
	// smulovf(x, y)  =>  x & y, at width 1: -1 * -1 is 1
	{"smulovf-bit", func(b *Builder, n node) Expr {
		if b.Width(n.a) == 1 {
			return b.And(n.a, n.b)
		}
		return None
	}},
}

// smulovf-constant, where [l, h] are the numbers whose product with k fits:
//
//	smulovf(0, x)  =>  false
//	smulovf(k, x)  =>  x < l | h < x
func smulOvfConstant(b *Builder, n node) Expr {
	v, ok := b.Value(n.a)
	w := b.Width(n.a)
	if !ok || w == 1 {
		return None
	}
	if v.IsZero() {
		return False
	}
	k := v.Signed(w)
	limit := new(big.Int).Lsh(big.NewInt(1), uint(w-1))
	lowest, highest := new(big.Int).Neg(limit), limit.Sub(limit, big.NewInt(1))
	lo, hi := new(big.Int).Quo(lowest, k), new(big.Int).Quo(highest, k) // towards zero: inside
	if k.Sign() < 0 {
		lo, hi = hi, lo
	}
	if hi.Cmp(highest) > 0 { // MIN / -1
		hi = highest
	}
	return b.Or(b.Slt(n.b, b.ConstBig(lo, w)), b.Slt(b.ConstBig(hi, w), n.b))
}
