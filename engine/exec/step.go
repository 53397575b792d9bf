package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// step executes one instruction. It reports whether s goes on at once; if not,
// s has ended or waits its turn.
func (x *exec) step(s *state) (bool, error) {
	f := s.top
	in := f.flow.fn.Blocks[f.block].Insts[f.inst]
	x.stats.Instructions++
	x.overwritten, x.spoiled = nil, false
	if !s.general {
		x.visited[f.flow.index][f.block] = true
	}
	if in.Op.IsTerminator() {
		return x.terminate(s, in)
	}
	if in.Op == ir.Call && in.Args[0].Kind == ir.AsmRef {
		return x.assembly(s, in)
	}
	if in.Op == ir.Call {
		return x.call(s, in)
	}
	v, err := x.evaluate(s, in)
	if err != nil {
		return false, err
	}
	x.overlay(s)
	x.respoil(s)
	if in.Result >= 0 {
		f.regs[in.Result] = v
	}
	f.inst++
	return true, nil
}

// evaluate executes an instruction that only makes a value or touches memory.
func (x *exec) evaluate(s *state, in *ir.Inst) (*value, error) {
	switch in.Op {
	case ir.Alloca:
		return x.alloca(s, in)
	case ir.Load:
		return x.load(s, in)
	case ir.Store:
		return nil, x.store(s, in)
	case ir.Fence:
		x.note("atomics are sequential")
		return nil, nil
	case ir.CmpXchg:
		return x.cmpXchg(s, in)
	case ir.AtomicRMW:
		return x.atomicRMW(s, in)
	case ir.Unsupported:
		return nil, stopf("unsupported: %s", in.Text)
	case ir.Phi:
		return nil, stopf("phi in the middle of a block")
	}
	args := make([]*value, len(in.Args))
	for i := range args {
		v, err := x.operand(s, &in.Args[i])
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	return x.compute(s, in, args)
}

func (x *exec) compute(s *state, in *ir.Inst, args []*value) (*value, error) {
	if ofVectors(in) {
		return x.vector(s, in, args)
	}
	switch {
	case in.Op.IsBinary():
		return x.binary(s, in, args[0], args[1])
	case in.Op.IsCast():
		return x.cast(in, args[0])
	}
	switch in.Op {
	case ir.GEP:
		v, err := x.gep(in, args)
		if err == nil {
			x.moves(s, v.ptr, in.Flags)
		}
		return v, err
	case ir.ICmp:
		return x.icmp(in, args[0], args[1])
	case ir.Select:
		return x.selectValue(args[0], args[1], args[2]), nil
	case ir.Freeze:
		return x.freeze(args[0], in.Type), nil
	case ir.ExtractValue:
		return extractValue(args[0], in.Path)
	case ir.InsertValue:
		return insertValue(args[0], args[1], in.Path)
	}
	return nil, stopf("unsupported: %v", in.Op)
}

func extractValue(v *value, path []int) (*value, error) {
	for _, i := range path {
		if i >= len(v.agg) {
			return nil, stopf("extractvalue past the end")
		}
		v = v.agg[i]
	}
	return v, nil
}

func insertValue(v, elem *value, path []int) (*value, error) {
	if len(path) == 0 {
		return elem, nil
	}
	if path[0] >= len(v.agg) {
		return nil, stopf("insertvalue past the end")
	}
	inner, err := insertValue(v.agg[path[0]], elem, path[1:])
	if err != nil {
		return nil, err
	}
	w := *v
	w.agg = append([]*value(nil), v.agg...)
	w.agg[path[0]] = inner
	return &w, nil
}

func (x *exec) selectValue(c, v, w *value) *value {
	return x.withPoison(x.choose(c.e, v, w), c.poison, c.poison == expr.False)
}

// freeze gives poison some value: an arbitrary one.
func (x *exec) freeze(v *value, t *ir.Type) *value {
	switch {
	case v.agg != nil:
		out := &value{agg: make([]*value, len(v.agg)), poison: expr.False}
		for i := range v.agg {
			out.agg[i] = x.freeze(v.agg[i], t.Field(i))
		}
		return out
	case v.poison == expr.False:
		return v
	case v.ptr != nil:
		any := &value{ptr: []alt{{guard: expr.True, obj: wildObject, off: x.b.Var("freeze", 64)}}, poison: expr.False}
		w := x.choose(v.poison, any, &value{ptr: v.ptr, poison: expr.False})
		for i := range w.ptr {
			w.ptr[i].lin = linear{} // was exact only where nothing is poison
		}
		return w
	}
	return intValue(x.b.ITE(v.poison, x.b.Var("freeze", t.Bits), v.e))
}

// terminate executes the end of a block.
func (x *exec) terminate(s *state, in *ir.Inst) (bool, error) {
	switch in.Op {
	case ir.Br:
		return x.jump(s, in.Targets[0])
	case ir.CondBr:
		return x.condBr(s, in)
	case ir.Switch:
		return x.switchOn(s, in)
	case ir.Ret:
		return x.ret(s, in)
	case ir.Unreachable:
		x.fails(s, expr.True, x.site(UnreachableCode, -1, s.top.place()))
		return false, errOver
	case ir.CallBr:
		return x.callBr(s, in)
	}
	return false, stopf("unsupported: %v", in.Op)
}

// jump moves s along an edge. It reports whether s may go on at once: it may if
// it is the least of all that wait, for then nobody can still come to its position.
func (x *exec) jump(s *state, to int) (bool, error) {
	if err := x.enter(s, to); err != nil {
		return false, err
	}
	return x.goOn(s), nil
}

func (x *exec) goOn(s *state) bool {
	if !s.due && (x.queue.Len() == 0 || s.key() < x.queue.items[0].key) {
		return true
	}
	x.put(s)
	return false
}

// enter moves s to the start of a block: phis are assigned, loops counted.
func (x *exec) enter(s *state, to int) error {
	f := s.top
	from := f.block
	insts := f.flow.fn.Blocks[to].Insts
	n := 0
	var vals []*value
	for ; insts[n].Op == ir.Phi; n++ {
		v, err := x.phi(s, insts[n], from)
		if err != nil {
			return err
		}
		vals = append(vals, v)
	}
	for i, v := range vals {
		f.regs[insts[i].Result] = v
	}
	f.enter(to)
	f.inst = n
	if x.taken(s) {
		return errOver
	}
	return nil
}

// taken lets the trial that is under way take s if its round is over. Else it
// sees whether s stands at a loop's head once too often.
func (x *exec) taken(s *state) bool {
	if x.trial.takes(s) {
		return true
	}
	for _, it := range s.top.iters {
		s.due = s.due || it.open > x.cfg.LoopBound
	}
	return false
}

func (x *exec) phi(s *state, in *ir.Inst, from int) (*value, error) {
	for i, t := range in.Targets {
		if t == from {
			return x.operand(s, &in.Args[i])
		}
	}
	return nil, stopf("phi without a value for its predecessor")
}

func (x *exec) condBr(s *state, in *ir.Inst) (bool, error) {
	c, err := x.operand(s, &in.Args[0])
	if err != nil {
		return false, err
	}
	if err := x.requireSet(s, c.poison, BranchPoison, c); err != nil {
		return false, err
	}
	return x.branch(s, []way{{c.e, in.Targets[0]}, {x.b.Not(c.e), in.Targets[1]}})
}

// way is a successor and the condition under which it is taken.
type way struct {
	guard expr.Expr
	to    int
}

// decisive reports whether it matters at once if a way is taken: it leaves or
// repeats a loop, or leads to a panic. Elsewhere the paths soon meet again, and
// to follow one that no input takes costs less than to ask.
func (x *exec) decisive(s *state, ways []way) bool {
	f := s.top
	if x.cfg.Paths {
		return true
	}
	for _, w := range ways {
		l := f.flow.pos[w.to].loop
		if f.flow.doomed[w.to] || f.flow.leaves(f.block, w.to) || l >= 0 && f.flow.loops[l].head == w.to {
			return true
		}
	}
	return false
}

// branch sends s along every way that some input takes.
func (x *exec) branch(s *state, ways []way) (bool, error) {
	all := ways
	ways, err := x.decided(s, all)
	if err != nil {
		return false, err
	}
	ask := x.decisive(s, ways)
	var open []way
	var models []*expr.Evaluator
	for _, w := range ways {
		if w.guard == expr.False {
			continue
		}
		if w.guard == expr.True {
			s.top.parted(w.to, ways, all)
			return x.jump(s, w.to)
		}
		ok, m := true, (*expr.Evaluator)(nil)
		if ask {
			ok, m = x.feasible(s, w.guard)
		} else if s.model != nil && s.model.True(w.guard) {
			m = s.model
		}
		if ok {
			open, models = append(open, w), append(models, m)
		}
	}
	if len(open) == 1 {
		if models[0] != nil {
			s.model = models[0]
		}
		s.top.parted(open[0].to, ways, all)
		return x.jump(s, open[0].to)
	}
	x.askPending(s)
	x.forked(s, open)
	for i, w := range open {
		t := s
		if i < len(open)-1 {
			t = s.fork()
		}
		t.pc = t.pc.with(x.b, w.guard)
		t.model = models[i]
		t.top.fork(w.to, open)
		t.top.parted(w.to, ways, all)
		if err := x.enter(t, w.to); err != nil {
			x.finish(t, err)
			continue
		}
		if t.atEnd() { // before others join: what it hangs on is this way's guard
			x.fails(t, w.guard, x.site(UnreachableCode, -1, t.top.place()))
			x.askPending(t)
			continue
		}
		x.put(t)
	}
	return false, nil
}

// atEnd reports whether s stands at an instruction that is not to be reached.
func (s *state) atEnd() bool {
	f := s.top
	return f.flow.fn.Blocks[f.block].Insts[f.inst].Op == ir.Unreachable
}

func (x *exec) switchOn(s *state, in *ir.Inst) (bool, error) {
	v, err := x.operand(s, &in.Args[0])
	if err != nil {
		return false, err
	}
	if err := x.requireSet(s, v.poison, BranchPoison, v); err != nil {
		return false, err
	}
	var ways []way
	rest := expr.True
	for i := range in.Cases {
		c, err := x.operand(s, &in.Cases[i])
		if err != nil {
			return false, err
		}
		eq := x.b.Eq(v.e, c.e)
		ways = addWay(x.b, ways, way{eq, in.Targets[i]})
		rest = x.b.And(rest, x.b.Not(eq))
	}
	return x.branch(s, addWay(x.b, ways, way{rest, in.Targets[len(in.Targets)-1]}))
}

// addWay joins ways to the same block.
func addWay(b *expr.Builder, ways []way, w way) []way {
	for i := range ways {
		if ways[i].to == w.to {
			ways[i].guard = b.Or(ways[i].guard, w.guard)
			return ways
		}
	}
	return append(ways, w)
}
