package smt

// A unit of effort is about 10 microseconds, whatever is done in that time: a
// conflict takes SAT longer the more variables it has to look after, and so does
// an answer without any. Measured with CaDiCaL on formulas of 900 to 220,000
// variables: 16 to 1,200 microseconds a conflict.
const (
	conflictEffort      = 2
	varsPerConflictUnit = 1500  // variables that make each conflict one unit dearer
	varsPerSolveUnit    = 60    // variables that are assigned in a unit
	gatesPerUnit        = 100   // gates that are made in a unit
	walksPerUnit        = 20000 // gates that are looked at in a unit
	rangeStepsPerUnit   = 200
	rangeStepsPerGate   = 16 // in the time that SAT takes to be told of a gate, both backends together
	numberStepsPerUnit  = 10
	leastConflicts      = 100 // what a query may use of a formula, however large
)

// budget is what may still be spent.
type budget struct {
	brief        bool  // the query may use less than others
	doubt        bool  // its conditions most likely contradict each other
	hasty        bool  // and it is asked another way if the quick backend leaves it open
	query, total int64 // effort
	stats        *Stats
}

func (b *budget) left() int64 { return min(b.query, b.total) }

func (b *budget) spend(n int64) {
	b.query, b.total = b.query-n, b.total-n
	b.stats.Effort += n
}

// price is what a conflict costs among so many variables.
func price(vars int64) int64 { return conflictEffort + vars/varsPerConflictUnit }

// conflictsFor is how many conflicts an effort pays for.
func conflictsFor(effort, vars int64) int64 { return max(leastConflicts, effort/price(vars)) }

// solveEffort is what it cost to solve once.
func solveEffort(vars, conflicts int64) int64 {
	return 1 + vars/varsPerSolveUnit + conflicts*price(vars)
}
