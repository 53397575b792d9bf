package expr

import (
	"maps"
	"math/big"
)

// Model gives values to variables and to elements of free arrays; those it
// does not mention are 0.
type Model struct {
	vars   map[Expr]Value
	arrays map[Array]map[uint64]Value
}

// NewModel returns a model where everything is 0.
func NewModel() *Model {
	return &Model{vars: map[Expr]Value{}, arrays: map[Array]map[uint64]Value{}}
}

// Set gives variable v a value.
func (m *Model) Set(v Expr, x Value) { m.vars[v] = x }

// Value returns the value of variable v.
func (m *Model) Value(v Expr) Value { return m.vars[v] }

// SetElem gives element i of a free array a value.
func (m *Model) SetElem(a Array, i uint64, x Value) {
	if m.arrays[a] == nil {
		m.arrays[a] = map[uint64]Value{}
	}
	m.arrays[a][i] = x
}

// Elem returns element i of a free array.
func (m *Model) Elem(a Array, i uint64) Value { return m.arrays[a][i] }

// Take takes over what another model says of one source. Elements of an array
// are shared with it: neither must change any more.
func (m *Model) Take(b *Builder, from *Model, src Source) {
	if src%2 == 1 {
		a := Array(src / 2)
		m.arrays[a] = from.arrays[a]
		return
	}
	v := b.vars[src/2].expr
	m.vars[v] = from.vars[v]
}

// Over returns a model that says what m says and, of the rest, what base says.
func (m *Model) Over(base *Model) *Model {
	out := &Model{vars: maps.Clone(base.vars), arrays: maps.Clone(base.arrays)}
	maps.Copy(out.vars, m.vars)
	for a, elems := range m.arrays {
		both := maps.Clone(elems)
		for i, x := range base.arrays[a] {
			if _, ok := both[i]; !ok {
				both[i] = x
			}
		}
		out.arrays[a] = both
	}
	return out
}

// Eval returns the value of e under m. To evaluate more than a few expressions
// under one model, make an Evaluator.
func (b *Builder) Eval(e Expr, m *Model) Value { return NewEvaluator(b, m).Value(e) }

// Evaluator evaluates expressions under a model, each node once. The model
// must not change meanwhile.
type Evaluator struct {
	b     *Builder
	model *Model
	pages []*evalPage // by node number
	wide  map[uint32]*big.Int
	stack []uint32
}

const pageSize = 64

type evalPage struct {
	known uint64 // a bit for each node
	lo    [pageSize]uint64
}

// NewEvaluator returns an Evaluator of b's expressions under m.
func NewEvaluator(b *Builder, m *Model) *Evaluator {
	return &Evaluator{b: b, model: m, wide: map[uint32]*big.Int{}}
}

// Model returns the model.
func (ev *Evaluator) Model() *Model { return ev.model }

// True reports whether e, of width 1, holds.
func (ev *Evaluator) True(e Expr) bool { return !ev.Value(e).IsZero() }

// Value returns the value of e.
func (ev *Evaluator) Value(e Expr) Value {
	if v, ok := ev.known(e); ok {
		return v
	}
	ev.stack = append(ev.stack[:0], e.node())
	for len(ev.stack) > 0 {
		ev.step()
	}
	v, _ := ev.known(e)
	return v
}

// step evaluates the node on top of the stack, or pushes what it waits for.
func (ev *Evaluator) step() {
	id := ev.stack[len(ev.stack)-1]
	n := &ev.b.nodes[id]
	var v [3]Value
	ready := true
	args := [...]Expr{n.a, n.b, n.c}
	for i, arg := range args[:opArity[n.op]] {
		var ok bool
		if v[i], ok = ev.known(arg); !ok {
			ev.stack = append(ev.stack, arg.node())
			ready = false
		}
	}
	if ready {
		ev.stack = ev.stack[:len(ev.stack)-1]
		ev.store(id, ev.apply(id, n, v))
	}
}

func (ev *Evaluator) apply(id uint32, n *node, v [3]Value) Value {
	switch n.op {
	case OpConst:
		x, _ := ev.b.Value(Expr(id << 1))
		return x
	case OpVar:
		return ev.model.Value(Expr(id << 1))
	case OpRead:
		if arr := &ev.b.arrays[n.aux]; !arr.free {
			return Value{lo: arr.at(v[0].lo)}
		}
		return ev.model.Elem(Array(n.aux), v[0].lo)
	}
	return apply(n.op, int(n.width), ev.b.argWidth(n), int(n.aux), v[0], v[1], v[2])
}

func (ev *Evaluator) store(id uint32, v Value) {
	for int(id/pageSize) >= len(ev.pages) {
		ev.pages = append(ev.pages, nil)
	}
	p := ev.pages[id/pageSize]
	if p == nil {
		p = new(evalPage)
		ev.pages[id/pageSize] = p
	}
	p.known |= 1 << (id % pageSize)
	p.lo[id%pageSize] = v.lo
	if v.wide != nil {
		ev.wide[id] = v.wide
	}
}

// known returns the value of e if it was computed before.
func (ev *Evaluator) known(e Expr) (Value, bool) {
	id := e.node()
	if int(id/pageSize) >= len(ev.pages) {
		return Value{}, false
	}
	p := ev.pages[id/pageSize]
	if p == nil || p.known>>(id%pageSize)&1 == 0 {
		return Value{}, false
	}
	width := ev.b.Width(e)
	v := Value{lo: p.lo[id%pageSize]}
	if width > 64 {
		v.wide = ev.wide[id]
	}
	if !e.neg() {
		return v, true
	}
	return apply(OpNot, width, width, 0, v, Value{}, Value{}), true
}
