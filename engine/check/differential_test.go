package check_test

import (
	"fmt"
	"iter"
	"math/big"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// choices gives all inputs in turn: each run continues the choices of the last
// where that could have chosen otherwise.
type choices struct {
	taken []choice
	at    int
}

type choice struct{ value, below uint64 }

func (c *choices) Dynamic(_ string, _, free int) (*big.Int, error) {
	if c.at == len(c.taken) {
		c.taken = append(c.taken, choice{0, 1 << min(free, 16)})
	}
	c.at++
	return new(big.Int).SetUint64(c.taken[c.at-1].value), nil
}

func (c *choices) Root(string, int, []ir.Span) *big.Int { return nil }

// next goes on to the next inputs; false after the last.
func (c *choices) next() bool {
	c.at = 0
	for i := len(c.taken) - 1; i >= 0; i-- {
		if c.taken[i].value++; c.taken[i].value < c.taken[i].below {
			c.taken = c.taken[:i+1]
			return true
		}
	}
	return false
}

// maxRuns bounds how many inputs of one slice are tried.
const maxRuns = 20_000

// failures is what runs with all inputs showed.
type failures struct {
	sites   map[string]bool // kind and place of the first failure of a run
	returns bool            // some run comes to the end
	whole   bool            // all inputs were tried
	bounded bool            // loops were followed for a few rounds: what is refuted says nothing of others
}

// mixed is why a run ends of which the interpreter cannot tell.
const mixed = "some bits were set of an undefined byte"

// tryAll runs a slice with all inputs.
func tryAll(t *testing.T, s *ir.Slice) failures {
	p, err := interp.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	f := failures{sites: map[string]bool{}, whole: true}
	c := &choices{}
	for n := 0; ; n++ {
		if n == maxRuns {
			f.whole = false
			return f
		}
		switch o := p.Run(c, interp.Limits{Steps: 100_000}); o.Kind {
		case interp.Returned:
			f.returns = true
		case interp.Panicked, interp.Undefined:
			f.sites[placed(o.What, o.Loc, o.Func, o.Inst)] = true
		case interp.AssertFailed:
			f.sites[placed("assert", -1, o.Func, o.Inst)] = true
		case interp.AssumeFailed:
		default:
			if !strings.Contains(o.What, mixed) { // of this run nothing is claimed
				t.Fatalf("a run ends with %v", &o)
			}
		}
		if !c.next() {
			return f
		}
	}
}

// placed names a site.
func placed(kind string, loc, fn, inst int) string {
	if loc >= 0 {
		return fmt.Sprintf("%s loc %d", kind, loc)
	}
	return fmt.Sprintf("%s %d:%d", kind, fn, inst)
}

// disagreement compares a verdict with what all runs showed. Open says that
// something was left unknown.
func disagreement(v *verdict.Verdict, f failures) (bad string, open bool) {
	known := map[string]verdict.Word{}
	for _, s := range v.Sites {
		name := placed(s.Kind, s.Loc, s.Func, s.Inst)
		known[name] = s.Verdict
		switch {
		case s.Verdict == verdict.Unknown || s.Verdict == verdict.ProvedTo:
			open = true
		case s.Verdict == verdict.Refuted && f.whole && !f.sites[name]:
			return name + " is refuted, and fails in no run", false
		case s.Verdict != verdict.Refuted && f.sites[name]:
			return name + " fails in a run, and is " + string(s.Verdict), false
		}
	}
	for name := range f.sites {
		if known[name] == "" && v.Verdict != verdict.Unknown && v.Verdict != verdict.ProvedTo && !open && !(f.bounded && v.Verdict == verdict.Refuted) {
			return name + " fails in a run, and is no site", false
		}
	}
	switch v.Verdict {
	case verdict.Unknown, verdict.ProvedTo:
		open = true
	case verdict.Vacuous:
		for name := range f.sites {
			if strings.HasPrefix(name, "assert ") {
				return "vacuous, and " + name + " fails in a run", false
			}
		}
		if f.returns && v.End == nil {
			return "vacuous, and a run returns", false
		}
	case verdict.Proved:
		if len(f.sites) > 0 || f.whole && !f.returns {
			return "proved, and runs fail or none returns", false
		}
	}
	return "", open
}

// openFor says in a few words why a verdict or the first site is open.
func openFor(v *verdict.Verdict) string {
	why := v.Reason
	for _, s := range v.Sites {
		if why == "" && s.Verdict == verdict.Unknown {
			why = s.Kind + ": " + s.Reason
		}
	}
	why, _, _ = strings.Cut(why, " at ")
	return why
}

// differential proves generated slices and compares with runs on all inputs.
func differential(t *testing.T, generate func(seed int64) string, n int64, cfg exec.Config) {
	t.Parallel()
	count := map[verdict.Word]int{}
	reasons := map[string]int{}
	for seed := range seeds(n) {
		text := generate(seed)
		s, err := ir.Parse([]byte(text))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		f := tryAll(t, s)
		f.bounded = cfg.LoopBound > 0
		v, err := check.Prove(s, cfg)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		bad, open := disagreement(v, f)
		if bad != "" {
			t.Errorf("seed %d: %s\n%s", seed, bad, text)
		}
		count[v.Verdict]++
		if open {
			reasons[openFor(v)]++
		}
	}
	t.Logf("verdicts %v, open for %v", count, reasons)
}

// generated is how many slices are generated: more where there is time. KVFARM_SLICES
// and KVFARM_SEED ask for other ones: so many, from that seed on.
func generated() int64 {
	if n, err := strconv.ParseInt(os.Getenv("KVFARM_SLICES"), 10, 64); err == nil {
		return n
	}
	if os.Getenv("KVFARM_CI") != "" {
		return 3000
	}
	return 300
}

// seeds are n seeds.
func seeds(n int64) iter.Seq[int64] {
	first, _ := strconv.ParseInt(os.Getenv("KVFARM_SEED"), 10, 64)
	return func(yield func(int64) bool) {
		for i := range n {
			if !yield(first + i) {
				return
			}
		}
	}
}

func TestDifferential(t *testing.T) {
	differential(t, generate, generated(), exec.Config{Budget: 1_000_000})
}

func TestDifferentialMemory(t *testing.T) {
	differential(t, generateMemory, generated(), exec.Config{Budget: 1_000_000})
}

func TestDifferentialVectors(t *testing.T) {
	differential(t, generateVectors, generated(), exec.Config{Budget: 1_000_000})
}

func TestDifferentialBuffers(t *testing.T) {
	differential(t, generateBuffers, generated()/3, exec.Config{Budget: 1_000_000})
}

// TestDifferentialBufferLoops fills buffers in loops that go on longer than they are followed.
func TestDifferentialBufferLoops(t *testing.T) {
	differential(t, generateBufferLoops, generated()/6, exec.Config{Budget: 1_000_000, LoopBound: 3})
}

// TestDifferentialLoops follows loops for fewer rounds than they have: what is
// proved all the same holds in every round.
func TestDifferentialLoops(t *testing.T) {
	differential(t, generateLoops, generated()/6, exec.Config{Budget: 1_000_000, LoopBound: 3})
}

// TestDifferentialRounds does the same over pointers in memory, where late
// rounds do what early ones do not.
func TestDifferentialRounds(t *testing.T) {
	differential(t, generateRounds, generated()/3, exec.Config{Budget: 1_000_000, LoopBound: 3})
}

var anyCall = regexp.MustCompile(`call i([0-9]+) noundef @any_i[0-9]+\(\)`)

// TestConcrete puts numbers for the inputs of generated slices: what is then
// left to one run the executor must decide as the interpreter does.
func TestConcrete(t *testing.T) {
	t.Parallel()
	for seed := range seeds(generated()) {
		text := generate(seed)
		n := uint64(seed)
		text = anyCall.ReplaceAllStringFunc(text, func(call string) string {
			n = n*6364136223846793005 + 1442695040888963407
			width, _ := strconv.Atoi(anyCall.FindStringSubmatch(call)[1])
			return fmt.Sprintf("add i%d %d, 0", width, n>>(64-width))
		})
		s, err := ir.Parse([]byte(text))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		f := tryAll(t, s) // whether an allocation fails is still open
		v, err := check.Prove(s, exec.Config{Budget: 1_000_000})
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if bad, _ := disagreement(v, f); bad != "" || v.Verdict == verdict.Unknown && !strings.Contains(v.Reason, mixed) {
			t.Errorf("seed %d: %s, %s %s\n%s", seed, bad, v.Verdict, v.Reason, text)
		}
	}
}

// TestDifferentialRoots proves generated automatic roots: no run with random
// inputs of their shapes may contradict.
func TestDifferentialRoots(t *testing.T) {
	t.Parallel()
	count, reasons := map[verdict.Word]int{}, map[string]int{}
	for seed := range seeds(generated() / 3) {
		text := generateRoot(seed)
		s, err := ir.Parse([]byte(text))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		v, err := check.Prove(s, exec.Config{Budget: 1_000_000})
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		p, err := interp.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		for r := range uint64(60) {
			o := p.Run(interp.Random(r), interp.Limits{Steps: 10_000, Memory: 1 << 20})
			if bad := contradicts(v, &o); bad != "" {
				t.Errorf("seed %d: %s, but run %d ends with %v on %v\n%s", seed, bad, r, &o, o.Inputs, text)
				break
			}
		}
		count[v.Verdict]++
		if _, open := disagreement(v, failures{}); open {
			reasons[openFor(v)]++
		}
	}
	t.Logf("verdicts %v, open for %v", count, reasons)
}
