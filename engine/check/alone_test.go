package check_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// TestDifferentialAlone proves roots alone that call what changes memory and keeps
// addresses for later. What is proved of a panic that the root holds, or that a function
// holds which the root calls, may fail in no run, and is proved without the bodies too.
func TestDifferentialAlone(t *testing.T) {
	aloneOf(t, generateOutside, min(generated(), 1500), exec.Config{Budget: 1_000_000, Alone: true})
}

// TestDifferentialAloneLoops does the same with loops around the calls, followed for one round.
func TestDifferentialAloneLoops(t *testing.T) {
	aloneOf(t, generateOutsideLoops, min(generated()/10, 120), exec.Config{Budget: 300_000, LoopBound: 1, Alone: true})
}

func aloneOf(t *testing.T, generate func(seed int64) (open, closed string), n int64, bounds exec.Config) {
	t.Parallel()
	count := map[verdict.Word]int{}
	for seed := range seeds(n) {
		_, closed := generate(seed)
		text, cfg := holding(closed), bounds
		if seed%2 == 1 { // the same, held by a function that the root calls
			text = strings.Replace(text, "func @check () {", "func @top () {\n  call void @check()\n  ret void\n}\n\nfunc @check () {", 1)
			cfg.Of = []int{1}
		}
		s, err := ir.Parse([]byte(text))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		v, err := check.Prove(s, cfg)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if !sameWithout(t, s, cfg, v, "tell", "get") {
			t.Errorf("seed %d:\n%s", seed, text)
		}
		f := tryAll(t, s)
		for _, site := range v.Sites {
			if site.Loc < 0 {
				continue
			}
			count[site.Verdict]++
			name := placed(site.Kind, site.Loc, site.Func, site.Inst)
			if site.Verdict == verdict.Proved && f.sites[name] {
				t.Errorf("seed %d: %s is proved, and fails in a run\n%s", seed, name, text)
			}
		}
	}
	if count[verdict.Proved] == 0 || count[verdict.Unknown] == 0 {
		t.Errorf("sites %v: too much alike to say something", count)
	}
	t.Logf("sites %v", count)
}

var assertion = regexp.MustCompile(`(?m)^  call void @assert\(i1 (%\w+)\)$`)

// holding makes panics with locations of the assertions of a slice, and puts a loop
// into the functions that its root calls, so that they are not followed.
func holding(text string) string {
	n := 0
	var locs strings.Builder
	text = assertion.ReplaceAllStringFunc(text, func(call string) string {
		c := assertion.FindStringSubmatch(call)[1]
		fmt.Fprintf(&locs, "global @at%d loc %d\n", n, n)
		code := fmt.Sprintf("  br i1 %s, label %%holds%d, label %%fails%d\nfails%d:\n  call void @panic(ptr @at%d)\n  unreachable\nholds%d:", c, n, n, n, n, n)
		n++
		return code
	})
	const loop = "\n  %round = alloca 8, align 8\n  store i64 0, ptr %round, align 8\n  br label %spin\nspin:\n  %r0 = load i64, ptr %round, align 8\n" +
		"  %r1 = add i64 %r0, 1\n  store i64 %r1, ptr %round, align 8\n  %again = icmp ult i64 %r1, 1\n  br i1 %again, label %spin, label %go\ngo:"
	for _, head := range []string{"func @tell (ptr %p) {", "func @number (i64 %n) {", "func @get (ptr %p) -> ptr {"} {
		text = strings.Replace(text, head, head+loop, 1)
	}
	const panics = `extern @panic "core::panicking::panic_bounds_check" panic bounds (ptr) -> void noreturn` + "\n"
	return strings.Replace(text, "global @g align 8", panics+locs.String()+"global @g align 8", 1)
}
