package exec

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// stop ends a path before its time: what can still be reached from there is not decided.
type stop struct {
	reason string
	bound  int // not 0: a bound of this size was reached; nothing was beyond the engine
}

func (e *stop) Error() string { return e.reason }

func stopf(format string, args ...any) error { return &stop{reason: fmt.Sprintf(format, args...)} }

// errOver says that no input takes this path any further.
var errOver = errors.New("path is infeasible")

// axiom adds a fact that every run satisfies.
func (x *exec) axiom(e expr.Expr) {
	if !x.stated[e] {
		x.stated[e] = true
		x.axioms = x.axioms.with(x.b, e)
	}
}

// sat asks whether s can be where extra holds. On Unknown nothing is known.
func (x *exec) sat(s *state, extra expr.Expr) (smt.Result, *expr.Evaluator) {
	return x.satBy(s, extra, x.solver.Check)
}

// satWithin is sat with a bound of what the solver may do.
func (x *exec) satWithin(s *state, extra expr.Expr, effort int64) (smt.Result, *expr.Evaluator) {
	return x.satBy(s, extra, func(conds []expr.Expr) (smt.Result, *expr.Model) { return x.solver.CheckWithin(conds, effort) })
}

// doubted is sat where the answer is no as a rule. Where a question is asked again it was no easy one.
func (x *exec) doubted(s *state, extra expr.Expr) (smt.Result, *expr.Evaluator) {
	if x.answering {
		return x.sat(s, extra)
	}
	return x.doubtedWithin(s, extra, math.MaxInt64)
}

// doubtedWithin is doubted with a bound of what the solver may do.
func (x *exec) doubtedWithin(s *state, extra expr.Expr, effort int64) (smt.Result, *expr.Evaluator) {
	return x.satBy(s, extra, func(conds []expr.Expr) (smt.Result, *expr.Model) { return x.solver.CheckDoubted(conds, effort) })
}

func (x *exec) satBy(s *state, extra expr.Expr, check func([]expr.Expr) (smt.Result, *expr.Model)) (smt.Result, *expr.Evaluator) {
	if extra == expr.False {
		return smt.Unsat, nil
	}
	if s.model != nil && s.model.True(extra) && x.holds(s.model, x.axioms) {
		return smt.Sat, s.model
	}
	conds := append(x.axioms.lits(nil), s.pc.lits(nil)...)
	conds = append(conds, extra)
	r, m := check(conds)
	if r != smt.Sat {
		return r, nil
	}
	return r, expr.NewEvaluator(x.b, m)
}

func (x *exec) holds(ev *expr.Evaluator, c *cond) bool {
	for ; c != nil; c = c.parent {
		if !ev.True(c.lit) {
			return false
		}
	}
	return true
}

// feasible reports whether s can be where extra holds; what is not known counts as feasible.
func (x *exec) feasible(s *state, extra expr.Expr) (bool, *expr.Evaluator) {
	at := s.top.place()
	if n := x.hard[at]; n > 0 { // it was as hard before
		x.solver.Limit(x.branchEffort(n))
		defer x.solver.Limit(queryEffort)
	}
	r, m := x.sat(s, extra)
	if r == smt.Unknown {
		x.hard[at]++
	}
	return r != smt.Unsat, m
}

// branchEffort is what the solver may do for a branch of which it was not found out n times before
// whether it can be taken: little, but for the 4th, 8th, 16th time and so on. A loop that is never seen
// to end is followed to its bound, and the budget is gone before.
func (x *exec) branchEffort(n int) int64 {
	if n < inVain || n&(n-1) != 0 {
		return branchAgain
	}
	return max(queryEffort, x.cfg.Budget/vainPart*int64(min(n/inVain, mostVainParts)))
}

// assume restricts s to the inputs where e holds.
func (x *exec) assume(s *state, e expr.Expr) error {
	if e == expr.True {
		return nil
	}
	if e == expr.False {
		return errOver
	}
	s.pc = s.pc.with(x.b, e)
	if s.model != nil && !s.model.True(e) {
		s.model = nil
	}
	return nil
}

// require checks a property: it must not be that bad holds. Where it can, the
// site is refuted; the path goes on under the assumption that it held.
func (x *exec) require(s *state, bad expr.Expr, k Kind) error {
	if bad == expr.False {
		return nil
	}
	x.fails(s, bad, x.site(k, -1, s.top.place()))
	return x.assume(s, x.b.Not(bad))
}

// requireSet is require where bad holds because vals are poison: whether they truly are tells how much a failure says.
func (x *exec) requireSet(s *state, bad expr.Expr, k Kind, vals ...*value) error {
	x.sharp = !slices.ContainsFunc(vals, func(v *value) bool { return !v.certain() })
	defer func() { x.sharp = false }()
	return x.require(s, bad, k)
}

// fails decides whether a site fails for some input of s with bad.
func (x *exec) fails(s *state, bad expr.Expr, st *Site) {
	if st.Refuted != nil || st.settled || bad == expr.False {
		return
	}
	if q := x.newQuestion(s, bad, st); x.trial != nil {
		x.trial.demands = append(x.trial.demands, q)
	} else {
		x.await(s, q)
	}
}

// failing asks whether a site fails, first of all in a run that is not loose, and enters what it finds.
func (x *exec) failing(q question) smt.Result {
	s, bad, st := q.s, q.bad, q.site
	if s.general {
		r, _ := x.doubted(s, bad)
		if r == smt.Sat {
			x.generally(s, st)
		}
		return r
	}
	firm := x.b.And(bad, x.b.Not(s.loose))
	r, m := x.doubted(s, firm)
	if r == smt.Sat {
		x.refute(q, x.smaller(s, m, firm), firm)
		return r
	}
	if s.loose == expr.False {
		return r
	}
	loose, _ := x.doubted(s, bad)
	if loose == smt.Sat && !x.excused(st, bad) {
		if r == smt.Unknown && !x.answering { // at the end the others get more: they may refute
			return r
		}
		x.shrug(q, s.why)
	}
	if r == smt.Unknown && st.Reason == "" {
		return r
	}
	return loose
}

// excused reports whether a failure is assumed away: a match has no arm for what code outside gave, and
// its type does not have (quiet). That the way to it hangs on such a value is no excuse. What else fails
// only in loose runs is not decided; what comes after it was proved of runs
// that it does not fail in. What unsafe code takes for granted of a value by
// itself (llvm.assume) no type says.
func (x *exec) excused(st *Site, bad expr.Expr) bool {
	return st.Kind == UnreachableCode && x.alien(bad) && !x.ofC(bad) && x.newGiven().whole(bad)
}

// ofC reports whether what a C function returned has a part in e. C has no enums of which the other
// values could not be: that a match has no arm for one is what the code takes for granted.
func (x *exec) ofC(e expr.Expr) bool {
	return slices.ContainsFunc(x.b.Vars(e), func(v expr.Expr) bool { return x.byC[v] })
}

// generally enters a failure that only a generalised loop shows. It refutes
// nothing: the site holds up to the bound, and so does what the runs come to
// that go on after it.
func (x *exec) generally(s *state, st *Site) {
	x.limited(x.cfg.LoopBound)
	st.limit(x.cfg.LoopBound)
	if !st.Panic || st.Kind == Assert || st.Kind == Trap {
		x.reach.from(s.top, func(site *Site) { site.limit(x.cfg.LoopBound) })
	}
}

// limited notes that a bound was reached.
func (x *exec) limited(k int) {
	if x.bound == 0 || k < x.bound {
		x.bound = k
	}
}

// question is a query that the solver left open at first, or that waits for a trial to be made good.
type question struct {
	s     *state
	bad   expr.Expr
	site  *Site
	sharp bool // of a rough kind, but it fails in no run but those that truly do
}

// newQuestion keeps what s is now: it goes on meanwhile.
func (x *exec) newQuestion(s *state, bad expr.Expr, st *Site) question {
	t := *s
	f := *s.top
	t.top, t.pending = &f, nil
	return question{&t, bad, st, x.sharp}
}

// answer asks the open questions again, each with a larger part of what is left
// of the budget: most paths are cheap, and the few that are not must not starve them. What these leave
// is theirs then.
func (x *exec) answer() {
	if len(x.open) == 0 {
		return
	}
	total := x.cfg.Budget - x.work()
	if len(x.stops) > 0 { // the root is not proved, whatever they come to
		total = min(total, max(total/stopPart, leastAnswer))
	}
	x.first, x.answering = x.solver.Stats(), true
	x.solver = x.newSolver(max(total, 1), queryEffort)
	still := x.askAll(x.open, total)
	if len(x.stops) == 0 && len(still) > 0 && len(still) < len(x.open) { // the others were cheap, and the root may be proved
		still = x.askAll(still, total)
	}
	for _, q := range still {
		if q.s.general {
			x.generally(q.s, q.site)
		} else {
			x.shrug(q, "budget")
		}
	}
}

// askAll asks open questions, for an effort of total with those before, and returns the ones that stay
// open. Of a site of which one does no others are asked.
func (x *exec) askAll(open []question, total int64) []question {
	var still []question
	stuck := map[*Site]bool{}
	for i, q := range open {
		if q.site.Refuted != nil || q.site.Reason != "" {
			continue
		}
		left := total - x.solver.Stats().Effort
		x.solver.Limit(max(queryEffort, left/int64(len(open)-i)))
		if left <= 0 || stuck[q.site] || x.failing(q) == smt.Unknown {
			stuck[q.site] = true
			still = append(still, q)
		}
	}
	return still
}

// refute confirms a failure that the solver found. If the witness does not bear
// it out, the path is not understood, and neither is what follows it under the
// assumption that the site held. If it cannot be replayed, then only the site stays open.
func (x *exec) refute(q question, m *expr.Evaluator, bad expr.Expr) {
	s, st := q.s, q.site
	why := x.unsound(s, bad)
	if why != "" && x.excused(st, bad) {
		x.note(quiet)
		return
	}
	if why != "" && x.hangsOnContent(s, bad) {
		x.shrug(q, why)
		return
	}
	if why != "" {
		m = x.plain(s, m, bad)
	}
	w := x.witness(s, m, bad)
	err := x.confirm(st, w)
	if err == nil {
		st.Refuted = w
		return
	}
	switch {
	case why != "":
		x.shrug(q, why)
	case errors.Is(err, ErrNoReplay):
		x.shrug(q, err.Error())
	default:
		reason := "spurious: " + err.Error()
		x.stopped(Stop{reason, s.top.place()})
		st.give(reason)
		x.after(s, st, reason)
	}
}

// shrug leaves a site open that fails only if something is so that is not known.
func (x *exec) shrug(q question, reason string) {
	q.site.give(reason)
	if rough[q.site.Kind] && !q.sharp {
		x.after(q.s, q.site, reason)
	}
}

// after leaves open what comes after a site that was not understood.
func (x *exec) after(s *state, st *Site, reason string) {
	text := fmt.Sprintf("after %s at %d:%d: %s", st.Kind, st.Place.Func, st.Place.Inst, reason)
	x.reach.from(s.top, func(site *Site) { site.give(text) })
}

// rough are the kinds that fail by poison, of which the executor sometimes sees
// more than there is (value.exact). The others fail in no run but those that truly do.
var rough = map[Kind]bool{UninitUse: true, PoisonUse: true, BranchPoison: true}

// plain looks for a model of the same failure in which what is not known is what
// it is in a replay: functions that may return anything return 0, and variables
// of the slice have their first content.
func (x *exec) plain(s *state, m *expr.Evaluator, bad expr.Expr) *expr.Evaluator {
	if r, n := x.sat(s, x.b.AndAll(append(x.likely, bad)...)); r == smt.Sat {
		return n
	}
	return m
}

// ErrNoReplay is what Confirm returns, wrapped, if it cannot tell: the replay
// came to something that it cannot do. That speaks against nothing.
var ErrNoReplay = errors.New("no replay")

func (x *exec) confirm(st *Site, w *Witness) error {
	if x.cfg.Confirm == nil {
		return ErrNoReplay
	}
	return x.cfg.Confirm(st, w)
}

// smallInput is the size of input and heap objects that a witness keeps to if it can, in bytes.
const smallInput = 4096

// smaller looks for a model of the same failure with small objects: it
// is easier to run and to read. If it can be, what a pointer leads to is whole or
// empty: in a part of a record the interpreter sees no fields.
func (x *exec) smaller(s *state, m *expr.Evaluator, bad expr.Expr) *expr.Evaluator {
	b, small, whole := x.b, expr.True, expr.True
	for _, o := range x.infos {
		if o.kind != objInput && o.kind != objHeap {
			continue
		}
		small = b.And(small, b.Ule(o.size, b.Const(smallInput, 64)))
		if in := o.base.input; in != nil && in.shape != nil && o.bytes < 0 {
			whole = b.And(whole, b.Or(b.IsZero(o.size), b.Ule(b.Const(uint64(in.shape.Size), 64), o.size)))
		}
	}
	if m.True(b.And(small, whole)) {
		return m
	}
	if r, n := x.sat(s, b.AndAll(bad, small, whole)); whole != expr.True && r == smt.Sat {
		return n
	}
	if m.True(small) {
		return m
	}
	if r, n := x.sat(s, x.b.And(bad, small)); r == smt.Sat {
		return n
	}
	return m
}

// returnedByC notes that a C function returned v.
func (x *exec) returnedByC(v *value) {
	if v.e != expr.None {
		x.byC[v.e] = true
	}
	for _, a := range v.ptr {
		x.byC[a.off] = true
	}
	for _, f := range v.agg {
		x.returnedByC(f)
	}
}
