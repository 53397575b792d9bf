package expr

import "slices"

// Program is some expressions, laid out to be evaluated over and over under
// assignments that differ little. All that it holds has at most 64 bits.
type Program struct {
	b     *Builder
	ops   []operation // arguments before what uses them
	roots []Operand
	vals  []uint64 // of each operation
}

// Operand is a place in a Program and, in the lowest bit, a complement mark.
type Operand uint32

type operation struct {
	node     uint32
	op       Op
	lo       uint16
	width    uint16
	argWidth uint16
	args     [3]Operand
}

// places returns a number for each node, all 0: it is kept for the next program.
func (b *Builder) places() []uint32 {
	if n := len(b.nodes) - len(b.compiled); n > 0 {
		b.compiled = append(b.compiled, make([]uint32, n)...)
	}
	return b.compiled
}

// maxProgram is how many operations a Program may have.
const maxProgram = 1 << 13

// Compile lays out es. It returns nil where it cannot: something is wider than
// 64 bits, there is too much of it, or a table is looked up.
func (b *Builder) Compile(es []Expr) *Program {
	var nodes []uint32
	defer func() {
		for _, id := range nodes {
			b.compiled[id] = 0
		}
	}()
	at := b.places() // 1+place
	stack := make([]uint32, 0, 64)
	for _, e := range es {
		stack = append(stack, e.node())
	}
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if at[id] != 0 {
			continue
		}
		n := &b.nodes[id]
		if n.width > 64 || len(nodes) == maxProgram || n.op == OpRead && !b.arrays[n.aux].free {
			return nil
		}
		at[id] = 1
		nodes = append(nodes, id)
		args := [...]Expr{n.a, n.b, n.c}
		for _, arg := range args[:opArity[n.op]] {
			stack = append(stack, arg.node())
		}
	}
	slices.Sort(nodes) // arguments are older
	p := &Program{b: b, ops: make([]operation, len(nodes)), vals: make([]uint64, len(nodes))}
	place := func(e Expr) Operand { return Operand((at[e.node()]-1)<<1) | Operand(e&1) }
	for i, id := range nodes {
		at[id] = uint32(i) + 1
		p.ops[i] = b.operationOf(id, place)
		if p.ops[i].op == OpConst {
			v, _ := b.Uint64(Expr(id << 1))
			p.vals[i] = v
		}
	}
	for _, e := range es {
		p.roots = append(p.roots, place(e))
	}
	return p
}

func (b *Builder) operationOf(id uint32, place func(Expr) Operand) operation {
	n := &b.nodes[id]
	o := operation{node: id, op: n.op, width: n.width, lo: uint16(n.aux)}
	args := [...]Expr{n.a, n.b, n.c}
	if opArity[n.op] > 0 {
		o.argWidth = uint16(b.argWidth(n))
	}
	for i, arg := range args[:opArity[n.op]] {
		o.args[i] = place(arg)
	}
	return o
}

// Len returns how many operations p has.
func (p *Program) Len() int { return len(p.ops) }

// Roots returns the places of the expressions, in the order that they were given in.
func (p *Program) Roots() []Operand { return p.roots }

// Start takes the values of variables and of elements of free arrays from a model.
func (p *Program) Start(ev *Evaluator) {
	for i := range p.ops {
		if o := &p.ops[i]; o.op == OpVar || o.op == OpRead {
			p.vals[i] = ev.Value(Expr(o.node << 1)).lo
		}
	}
}

// Run evaluates. A read of a free array is what Start or Set made it.
func (p *Program) Run() {
	for i := range p.ops {
		o := &p.ops[i]
		switch o.op {
		case OpConst, OpVar, OpRead:
			continue
		}
		p.vals[i] = apply64(o.op, int(o.width), int(o.argWidth), int(o.lo), p.Value(o.args[0]), p.Value(o.args[1]), p.Value(o.args[2]))
	}
}

// Value returns the value of x as Run left it.
func (p *Program) Value(x Operand) uint64 {
	v := p.vals[x>>1]
	if x&1 == 1 {
		v = ^v & mask(int(p.ops[x>>1].width))
	}
	return v
}

// Set gives a variable or an element of a free array a value.
func (p *Program) Set(x Operand, v uint64) { p.vals[x>>1] = v & mask(int(p.ops[x>>1].width)) }

// Op, Width, Lo and Arg tell of an operand what the Builder's methods tell of
// an expression. The complement mark is left out: Op is never OpNot.
func (p *Program) Op(x Operand) Op              { return p.ops[x>>1].op }
func (p *Program) Width(x Operand) int          { return int(p.ops[x>>1].width) }
func (p *Program) Lo(x Operand) int             { return int(p.ops[x>>1].lo) }
func (p *Program) Arg(x Operand, i int) Operand { return p.ops[x>>1].args[i] }

// Model returns the values of the variables, and of the elements of free arrays
// at the indices that they have now. Two reads of one element may disagree.
func (p *Program) Model() *Model {
	m := NewModel()
	for i := range p.ops {
		switch o := &p.ops[i]; o.op {
		case OpVar:
			m.Set(Expr(o.node<<1), Value{lo: p.vals[i]})
		case OpRead:
			m.SetElem(Array(p.b.nodes[o.node].aux), p.Value(o.args[0]), Value{lo: p.vals[i]})
		}
	}
	return m
}
