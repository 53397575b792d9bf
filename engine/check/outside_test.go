package check_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// TestDifferentialOutside proves slices that call what they do not define. What
// is proved all the same may fail in no run of the slice with any bodies of that.
func TestDifferentialOutside(t *testing.T) {
	outsideOf(t, generateOutside, min(generated(), 800), exec.Config{Budget: 1_000_000}, "tell", "get")
}

// TestDifferentialOutsideLoops does the same with loops around the calls, followed for one round.
func TestDifferentialOutsideLoops(t *testing.T) {
	outsideOf(t, generateOutsideLoops, min(generated()/10, 120), exec.Config{Budget: 300_000, LoopBound: 1}, "tell", "get")
}

// TestDifferentialContracts does the same where contracts say of what is called
// that it may change memory, and return anything.
func TestDifferentialContracts(t *testing.T) {
	outsideOf(t, generateOutside, min(generated(), 800), exec.Config{Budget: 1_000_000}, "rb_insert_color", "prepare_to_wait_exclusive")
}

func outsideOf(t *testing.T, generate func(seed int64) (open, closed string), n int64, cfg exec.Config, tell, get string) {
	t.Parallel()
	count := map[verdict.Word]int{}
	for seed := range seeds(n) {
		open, closed := generate(seed)
		open = strings.NewReplacer(`"tell"`, strconv.Quote(tell), `"get"`, strconv.Quote(get)).Replace(open)
		s, err := ir.Parse([]byte(open))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, open)
		}
		whole, err := ir.Parse([]byte(closed))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, closed)
		}
		v, err := check.Prove(s, cfg)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, open)
		}
		f := tryAll(t, whole)
		for _, site := range v.Sites {
			count[site.Verdict]++
			name := placed(site.Kind, site.Loc, site.Func, site.Inst)
			claimed := site.Verdict == verdict.Proved || site.Verdict == verdict.ProvedTo && cfg.LoopBound == 0
			if claimed && ofRoot(name) && f.sites[name] {
				t.Errorf("seed %d: %s is %s, and fails in a run\n%s", seed, name, site.Verdict, closed)
			}
		}
		for name := range f.sites {
			if v.Verdict == verdict.Proved && ofRoot(name) {
				t.Errorf("seed %d: %s fails in a run, and the root is proved\n%s", seed, name, closed)
			}
		}
	}
	if count[verdict.Proved] == 0 || count[verdict.Unknown] == 0 {
		t.Errorf("sites %v: too much alike to say something", count)
	}
	t.Logf("sites %v", count)
}
