// Package exec executes a slice on symbols: every input is a variable, and all
// paths are followed. README.md of the engine states the contract.
//
// Where to look: flow.go and live.go (control flow), exec.go (the run: which
// path next, merging), step.go (instructions), int.go, pointer.go, vector.go (values),
// call.go, model_*.go (functions without a body), loose.go (what is not known), object.go, bytes.go,
// access.go, anywhere.go, wild.go, merge.go (memory), cond.go, query.go and pending.go (path conditions and what is asked
// under them), given.go (whose fault a failure is),
// site.go, location.go and reach.go (what is decided), root.go, shape.go, record.go and unset.go (inputs),
// common.go, overlap.go (inputs that may be one another),
// induct.go, trial.go, widen.go, guess.go (loops without a known end),
// shard.go, frontier.go (parts of a root).
package exec

import (
	"container/heap"
	"errors"
	"fmt"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// Config bounds a run. The zero Config is usable.
type Config struct {
	Budget    int64 // units of work: an instruction, a term, the solver's effort; 0 means DefaultBudget or AutoBudget
	LoopBound int   // rounds of a loop that some inputs leave and others do not; 0 means CheckLoops or AutoLoops
	CallDepth int   // frames; 0 means DefaultCallDepth
	Paths     bool  // do not merge: one path at a time
	Alone     bool  // decide the panics that the root itself holds only, and follow few of its calls
	// Overlaps: nothing is assumed of where inputs lie. What is proved holds for every caller, and less is proved.
	Overlaps bool
	// Of are functions that a run alone follows however large they are. If there are any, it is about the panics
	// that the first of them holds, in the calls of it that the root makes, itself or through the others.
	Of []int
	// Settled tells of sites that an earlier run of the same slice has proved: nothing is asked of them again.
	Settled func(Kind, int, Place) bool
	// Shard are decisions: only the runs are followed of which all are true.
	Shard []verdict.Decision
	// Confirm runs a witness and says why it does not reach its site, nil if it does. Without it nothing is refuted.
	Confirm func(*Site, *Witness) error
	// Ends runs a witness and says why it does not reach the end of the root, nil if it does. A written check must have one.
	Ends func(*Witness) error
	// Watch is told of every query to the solver and its answer, for certificates and second opinions.
	Watch func(b *expr.Builder, conds []expr.Expr, r smt.Result)
}

// Defaults of Config.
const (
	DefaultBudget    = 10_000_000
	AutoBudget       = 2_000_000 // of an automatic root: there are many, and most that need more need very much more
	CheckLoops       = 64        // of a written check, which bounds its inputs itself
	AutoLoops        = 8         // of an automatic root, whose inputs have no bound
	DefaultCallDepth = 200

	// queryEffort bounds what the solver does for a query while paths are followed.
	queryEffort = 4000

	// What queries cost in units of work, besides the solver's effort. A unit is about 10 microseconds.
	queryCost      = 10
	clausesPerUnit = 20

	// What terms cost: they are quickly made, and then take memory.
	termsPerUnit = 8
	fewTerms     = 1 << 19 // beyond which each is a unit
)

// Result is what a run found.
type Result struct {
	Sites       []*Site  // by place
	Stopped     []Stop   // where the run had to give up, in order
	Bound       int      // least bound that was reached, 0 if none
	Ended       bool     // some input reaches the end of the root
	End         *Witness // it, if Ends confirmed it
	Idle        bool     // a written check none of whose assertions is reached
	Frontier    []string // how the work can be divided, if the budget did not suffice
	Assumptions []string
	Stats       Stats
}

// Stop is a place where a path was given up.
type Stop struct {
	Reason string
	Place  Place
}

// Stats says what a run cost.
type Stats struct {
	Instructions, Queries, Conflicts, PeakObjects int64
	Work                                          int64 // in units of the budget
}

type exec struct {
	slice  *ir.Slice
	cfg    Config
	b      *expr.Builder
	solver *smt.Chain
	axioms *cond
	stated map[expr.Expr]bool // axioms

	flows    []*flow
	liveSets map[[3]int][]uint64

	infos                         []*info
	funcObj, externObj, globalObj int
	addrOf                        map[expr.Expr]int // address variable to object
	addrSource                    map[expr.Source]int
	outside                       map[expr.Expr]bool     // variables that something outside of the slice chose
	byC                           map[expr.Expr]bool     // those of them that a C function returned
	foreign                       map[expr.Source]string // why a variable or array stands for what is not known
	loosened                      map[Stop]bool
	told                          told
	likely                        []expr.Expr          // what a replay takes for what is not known
	content                       map[expr.Source]bool // those of foreign that are content of a type which the slice does not tell
	placed                        []int                // objects with an address
	consts                        [256]*cell
	relocs                        map[*ir.Reloc]*cell
	tables                        map[string]expr.Array

	sites       map[siteKey]*Site
	visited     [][]bool // by function and block
	siteList    []*Site
	siteFuncs   [][]blockSite
	reach       *reach
	alone       *alone // nil unless Config.Alone
	stops       []Stop
	open        []question
	answering   bool      // those
	first       smt.Stats // of the solver before the open questions
	assumptions map[string]bool
	presumed    presumed
	wilds       map[wildKey]expr.Expr
	epochs      int
	spoiled     bool            // an epoch began with the instruction that is executed
	rawInputs   bool            // the inputs hold raw pointers
	overwritten []alt           // what the instruction that is executed writes to, and others may overlap
	contracts   map[string]bool // C functions of which a contract was taken for granted
	dynamic     []dynamic
	rootInputs  []rootInput
	bound       int
	cuts        int // paths that a bound took away
	ended       bool
	end         *Witness
	lost        string // why a run that should reach the end does not
	unsure      bool   // whether some input reaches the end was not decided

	looseWork int64
	sharp     bool  // what is required now fails in no run but those that truly do
	touched   int64 // bytes that copies and fills went over
	together  together
	hard      map[Place]int // how often the solver could not say of a branch whether it is taken

	shard shard
	forks forks

	queue queue
	wait  map[string]*state
	wide  bool     // everything within the bound is done
	later []*state // with more rounds behind them than the bound allows
	limit int64    // work after which no path goes on
	stats Stats

	trial    *trial             // round of a loop that is executed aside, nil if none is
	holes    map[expr.Expr]bool // variables that stand for what a loop changes
	hopeless map[[2]int]int     // loops, by function and number: how often induction failed
}

// Run executes a slice from its root. What the slice does is never an error;
// neither is a fault of ours on the way: then nothing is decided.
func Run(s *ir.Slice, cfg Config) *Result {
	x := newExec(s, cfg)
	x.guarded(func() {
		first, err := x.start()
		if err != nil {
			x.abandon(err.Error())
			return
		}
		x.put(first)
		x.drain()
		x.goBeyond()
		x.calledBack()
		x.answer()
		x.shareFates()
		x.seen()
	})
	return x.result()
}

func (x *exec) drain() {
	for x.queue.Len() > 0 {
		x.run(x.next())
	}
}

// guarded runs f; if f panics, everything that was open stays so.
func (x *exec) guarded(f func()) {
	defer func() {
		if r := recover(); r != nil {
			x.abandon(fmt.Sprint("fault of the engine: ", r))
		}
	}()
	f()
}

// abandon leaves every site open that is not refuted.
func (x *exec) abandon(reason string) {
	x.stops = append([]Stop{{reason, Place{Func: x.slice.Root}}}, x.stops...)
	for _, s := range x.siteList {
		s.give(reason)
	}
}

// fill puts the defaults in the place of zeros.
func (c *Config) fill(auto bool) {
	budget, loops := int64(DefaultBudget), CheckLoops
	if auto {
		budget, loops = AutoBudget, AutoLoops
	}
	if c.Budget == 0 {
		c.Budget = budget
	}
	if c.LoopBound == 0 {
		c.LoopBound = loops
	}
	if c.CallDepth == 0 {
		c.CallDepth = DefaultCallDepth
	}
}

func newExec(s *ir.Slice, cfg Config) *exec {
	cfg.fill(!IsCheck(s))
	b := expr.NewBuilder()
	x := &exec{slice: s, cfg: cfg, b: b,
		stated: map[expr.Expr]bool{}, liveSets: map[[3]int][]uint64{}, addrOf: map[expr.Expr]int{}, addrSource: map[expr.Source]int{},
		outside: map[expr.Expr]bool{}, byC: map[expr.Expr]bool{}, foreign: map[expr.Source]string{}, content: map[expr.Source]bool{}, loosened: map[Stop]bool{}, relocs: map[*ir.Reloc]*cell{},
		tables: map[string]expr.Array{}, sites: map[siteKey]*Site{}, assumptions: map[string]bool{}, contracts: map[string]bool{}, wait: map[string]*state{},
		wilds: map[wildKey]expr.Expr{}, hard: map[Place]int{}, holes: map[expr.Expr]bool{}, hopeless: map[[2]int]int{}}
	x.rawInputs = x.raws()
	x.shard, x.forks.seen = newShard(cfg.Shard), map[expr.Expr]bool{}
	x.limit = cfg.Budget / 4 * 3
	x.solver = x.newSolver(cfg.Budget, queryEffort)
	for i, fn := range s.Funcs {
		x.flows = append(x.flows, newFlow(fn, i))
		x.visited = append(x.visited, make([]bool, len(fn.Blocks)))
	}
	x.staticObjects()
	x.panicSites()
	x.reach = newReach(x)
	x.told = x.newTold()
	if cfg.Alone {
		x.alone = newAlone(x)
	}
	return x
}

// newSolver returns a chain that may spend an effort of total, and of query on one query.
func (x *exec) newSolver(total, query int64) *smt.Chain {
	cfg := smt.Config{TotalEffort: total, QueryEffort: query}
	if watch := x.cfg.Watch; watch != nil {
		cfg.Watch = func(conds []expr.Expr, r smt.Result) { watch(x.b, conds, r) }
	}
	return smt.New(x.b, cfg)
}

// item is a waiting state with its position.
type item struct {
	key string
	seq int64
	s   *state
}

// queue is a heap of waiting states, least position first.
type queue struct {
	items []item
	seq   int64
}

func (q *queue) Len() int { return len(q.items) }
func (q *queue) Less(i, j int) bool {
	if q.items[i].key != q.items[j].key {
		return q.items[i].key < q.items[j].key
	}
	return q.items[i].seq < q.items[j].seq
}
func (q *queue) Swap(i, j int) { q.items[i], q.items[j] = q.items[j], q.items[i] }
func (q *queue) Push(v any)    { q.items = append(q.items, v.(item)) }
func (q *queue) Pop() any {
	v := q.items[len(q.items)-1]
	q.items = q.items[:len(q.items)-1]
	return v
}

// put lets s wait at its position, merged with a state that waits there already.
func (x *exec) put(s *state) {
	x.askPending(s)
	if s.due && !s.general && !x.wide {
		x.later = append(x.later, s)
		x.cuts++
		return
	}
	key := s.key()
	if t := x.wait[key]; t != nil && !x.cfg.Paths {
		if err := x.merge(t, s); err != nil {
			x.finish(s, err) // t stays as it was
		}
		return
	}
	x.queue.seq++
	heap.Push(&x.queue, item{key, x.queue.seq, s})
	if !x.cfg.Paths {
		x.wait[key] = s
	}
}

func (x *exec) next() *state {
	it := heap.Pop(&x.queue).(item)
	delete(x.wait, it.key)
	if it.s.cuts != x.cuts && it.s.loose == expr.False { // loose runs are not worth it
		it.s.cuts = x.cuts
		x.refine(it.s)
	}
	return it.s
}

// run executes s until it ends, splits or has to wait.
func (x *exec) run(s *state) {
	if s.due {
		x.beyond(s)
		return
	}
	for {
		if err := x.overBudget(s); err != nil {
			x.askPending(s)
			x.finish(s, err)
			return
		}
		before := x.work()
		more, err := x.step(s)
		if s.loose != expr.False {
			x.looseWork += x.work() - before
		}
		if err != nil {
			x.askPending(s)
			x.finish(s, err)
			return
		}
		if !more {
			x.askPending(s)
			return
		}
	}
}

// overBudget compares the work done with the budget. A part of it is kept for the questions that are open at the end. Loose runs, which cannot
// refute, get a part of the work only: then they are given up, and s goes on
// without them; a run alone is hardly anything else. The trial of a loop gets a part too.
func (x *exec) overBudget(s *state) error {
	if x.exhausted() || x.trial != nil && x.work() > x.trial.limit {
		return stopf("budget")
	}
	if s.loose == expr.False || x.alone != nil || x.looseWork <= max(leastLoose, x.cfg.Budget/loosePart) {
		return nil
	}
	err := x.give(s, s.loose, &stop{reason: s.why})
	s.loose = expr.False
	return err
}

// loosePart is how many times the work of loose runs goes into the budget;
// leastLoose is what they get of a small one.
const (
	loosePart  = 5
	leastLoose = 100_000
)

// What is left of the budget when it turns out that the root is not proved: one
// part of stopPart, but not less than leastStop if there is as much; and the same of
// what is left then, but leastAnswer, for the questions that are open at the end.
const (
	stopPart    = 5
	leastStop   = 100_000
	leastAnswer = 200_000
)

// stopped notes that the root is not proved. What remains is to decide sites,
// and those that are decided at all are decided early.
func (x *exec) stopped(at Stop) {
	if len(x.stops) == 0 && x.alone == nil {
		so := x.work()
		x.limit = min(x.limit, so+max(leastStop, (x.limit-so)/stopPart))
	}
	x.stops = append(x.stops, at)
}

// queryPart is how many times what the solver may do while paths are followed
// goes into the budget. Where queries take more than that they are hard, one
// like the other, and what else there is to decide has no use of them.
const queryPart = 3

func (x *exec) exhausted() bool {
	return x.work() > x.limit || x.first.Effort+x.solver.Stats().Effort > x.cfg.Budget/queryPart
}

// work is what the run has cost so far, in units of the budget.
func (x *exec) work() int64 {
	st, first := x.solver.Stats(), &x.first
	terms := int64(x.b.Len())
	return x.stats.Instructions + min(terms, fewTerms)/termsPerUnit + max(0, terms-fewTerms) + queryCost*(first.Queries+st.Queries) +
		(first.Clauses+st.Clauses)/clausesPerUnit + first.Effort + st.Effort + x.touched/bytesPerUnit
}

// finish ends a path that err stops: nothing is lost if no input takes it,
// else what it could still reach stays open.
func (x *exec) finish(s *state, err error) {
	var st *stop
	if err == nil || errors.Is(err, errOver) {
		return
	}
	if !errors.As(err, &st) {
		st = &stop{reason: err.Error()}
	}
	if r, _ := x.sat(s, expr.True); r == smt.Unsat {
		return
	}
	if x.trial != nil {
		x.trial.fail(st)
		return
	}
	if st.bound == 0 && s.general {
		st = &stop{reason: st.reason, bound: x.cfg.LoopBound}
	}
	if st.bound > 0 {
		x.cuts++
		x.limited(st.bound)
	} else {
		x.stopped(Stop{st.reason, s.top.place()})
	}
	x.reach.from(s.top, func(site *Site) {
		if st.bound > 0 {
			site.limit(st.bound)
		} else {
			site.give(st.reason)
		}
	})
}

// give gives up the runs of s where e holds, for the reason st, and goes on with the others.
func (x *exec) give(s *state, e expr.Expr, st *stop) error {
	t := *s
	t.pc, t.model, t.pending = t.pc.with(x.b, e), nil, nil
	x.finish(&t, st)
	return x.assume(s, x.b.Not(e))
}

func (x *exec) result() *Result {
	if x.unsure && !x.ended {
		x.stops = append(x.stops, Stop{"budget", Place{Func: x.slice.Root}})
	}
	var front []string
	if x.starved() {
		x.guarded(func() { front = x.frontier() })
	}
	st := x.solver.Stats()
	x.stats.Work = x.work()
	x.stats.Queries, x.stats.Conflicts = x.first.Queries+st.Queries, x.first.Conflicts+st.Conflicts
	if !x.ended && x.lost != "" {
		x.stops = append(x.stops, Stop{x.lost, Place{Func: x.slice.Root}})
	}
	return &Result{Sites: x.sortedSites(), Stopped: x.stops, Bound: x.bound, Ended: x.ended, End: x.end, Idle: x.idle(), Frontier: front,
		Assumptions: x.sortedAssumptions(), Stats: x.stats}
}
