package expr

import (
	"fmt"
	"math/big"
)

// Expr is an expression of one Builder; two handles are equal if and only if
// the expressions are the same. The zero Expr is no expression.
//
// The lowest bit is a complement mark: x and Not(x) share a node.
type Expr uint32

// The truth values, the same in every Builder.
const (
	None  Expr = 0
	False Expr = 2
	True  Expr = 3
)

func (e Expr) node() uint32 { return uint32(e >> 1) }
func (e Expr) neg() bool    { return e&1 == 1 }

// MaxWidth is the widest expression that a Builder makes, in bits.
const MaxWidth = 1 << 15

// node is one interned operation. Arguments are always older than the node, so
// ascending order is an order of evaluation.
type node struct {
	op      Op
	width   uint16
	aux     uint32 // OpExtract: lowest bit; OpVar: variable; OpRead: array
	a, b, c Expr   // OpConst up to 64 bits: a and b hold the low and high half of the number
	facts   uint32 // index into Builder.facts, 0 when nothing is known; wide OpConst: 1+index into Builder.bigs
}

// Builder makes and keeps expressions.
type Builder struct {
	nodes   []node
	table   []uint32 // open addressing over nodes; 0 is empty
	bigs    []*big.Int
	vars    []variable
	arrays  []array
	facts   []Facts
	done    []rewritten // cache by hash; see make
	support supports

	remembered []remembered // by node; see Context
	compiled   []uint32     // by node; see Program
	rounds     uint64
}

type variable struct {
	name string
	expr Expr
}

// NewBuilder returns a Builder that holds the truth values only.
func NewBuilder() *Builder {
	b := &Builder{
		nodes: make([]node, 1, 1024),
		table: make([]uint32, 2048),
		facts: make([]Facts, 1, 1024),
		done:  make([]rewritten, 1<<10),
	}
	if b.Const(0, 1) != False {
		panic("expr: the first node is not false")
	}
	return b
}

// Len returns how many nodes the builder holds: a measure of its memory, about
// 60 bytes each.
func (b *Builder) Len() int { return len(b.nodes) - 1 }

// Var returns a fresh variable. The name is for people and need not be unique.
func (b *Builder) Var(name string, width int) Expr {
	checkWidth(width)
	e := b.intern(node{op: OpVar, width: uint16(width), aux: uint32(len(b.vars))})
	b.vars = append(b.vars, variable{name, e})
	return e
}

// Width returns e's width in bits.
func (b *Builder) Width(e Expr) int { return int(b.nodes[e.node()].width) }

// Op returns e's operator.
func (b *Builder) Op(e Expr) Op {
	if n := &b.nodes[e.node()]; n.op == OpConst || !e.neg() {
		return n.op
	}
	return OpNot
}

// NumArgs returns how many arguments e has.
func (b *Builder) NumArgs(e Expr) int { return opArity[b.Op(e)] }

// Arg returns e's argument i.
func (b *Builder) Arg(e Expr, i int) Expr {
	n := &b.nodes[e.node()]
	switch {
	case e.neg() && n.op != OpConst:
		return e ^ 1
	case i == 0:
		return n.a
	case i == 1:
		return n.b
	}
	return n.c
}

// Lo returns the lowest bit that an OpExtract takes.
func (b *Builder) Lo(e Expr) int { return int(b.nodes[e.node()].aux) }

// VarName returns the name of an OpVar.
func (b *Builder) VarName(e Expr) string { return b.vars[b.nodes[e.node()].aux].name }

// ArrayOf returns the array that an OpRead reads.
func (b *Builder) ArrayOf(e Expr) Array { return Array(b.nodes[e.node()].aux) }

func checkWidth(width int) {
	if width < 1 || width > MaxWidth {
		panic(fmt.Sprintf("expr: width %d", width))
	}
}

// lookup returns the node equal to n, None if there is none.
func (b *Builder) lookup(n *node) Expr { return Expr(b.table[b.find(n)] << 1) }

// intern returns the node equal to n, adding it if there is none; a constant
// instead if the facts about n leave only one.
func (b *Builder) intern(n node) Expr {
	slot := b.find(&n)
	if id := b.table[slot]; id != 0 {
		return Expr(id << 1)
	}
	return b.add(n, slot)
}

// find returns where n is in the table, or where it belongs.
func (b *Builder) find(n *node) uint32 {
	size := uint32(len(b.table))
	for i := n.hash() & (size - 1); ; i = (i + 1) & (size - 1) {
		id := b.table[i]
		if id == 0 {
			return i
		}
		if m := &b.nodes[id]; m.a == n.a && m.b == n.b && m.c == n.c && m.op == n.op && m.width == n.width && m.aux == n.aux {
			return i
		}
	}
}

// add appends n, whose empty place in the table is slot.
func (b *Builder) add(n node, slot uint32) Expr {
	id := uint32(len(b.nodes))
	if id >= 1<<31 {
		panic("expr: too many nodes")
	}
	f, ok := b.derive(&n)
	switch {
	case ok && f.UMin == f.UMax:
		return b.Const(f.UMin, int(n.width))
	case ok:
		n.facts = uint32(len(b.facts))
		b.facts = append(b.facts, f)
	}
	b.nodes = append(b.nodes, n)
	b.table[slot] = id
	if size := len(b.done); len(b.nodes) > size && size < maxDone {
		b.done = make([]rewritten, 4*size) // it forgets, and is soon as full again
	}
	if 2*len(b.nodes) > len(b.table) {
		b.grow()
	}
	return Expr(id << 1)
}

// maxDone is how many rewritten operations are remembered at most.
const maxDone = 1 << 14

func (b *Builder) grow() {
	b.table = make([]uint32, 2*len(b.table))
	size := uint32(len(b.table))
	for id := 1; id < len(b.nodes); id++ {
		i := b.nodes[id].hash() & (size - 1)
		for b.table[i] != 0 {
			i = (i + 1) & (size - 1)
		}
		b.table[i] = uint32(id)
	}
}

func (n *node) hash() uint32 {
	const k = 0x9e3779b97f4a7c15
	h := (uint64(n.op)<<48 | uint64(n.width)<<32 | uint64(n.aux)) * k
	h = (h ^ h>>29 ^ (uint64(n.a)<<32 | uint64(n.b))) * k
	h = (h ^ h>>32 ^ uint64(n.c)) * k
	return uint32(h >> 32)
}

// Index returns the number of e's node, from 1 to Len: a place for what others
// keep per expression. x and Not(x) have the same one.
func (e Expr) Index() int { return int(e.node()) }

// Complemented reports whether e is the complement of its node.
func (e Expr) Complemented() bool { return e.neg() }
