package exec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// tableStores writes n neighbours in a table of 64 bytes, the first at an input that is less than most.
// Only what is assumed of another input says that it is.
func tableStores(n, most int) string {
	var b strings.Builder
	b.WriteString(`kvslice 1
arch x86_64
extern @any "kvfarm_any_u64" () -> i64
extern @assume "kvfarm_assume" (i1)
func @check () {
b0:
  %t = alloca 64, align 8
  %i = call i64 @any()
  %j = call i64 @any()
  %sum = xor i64 %i, %j
  %same = icmp eq i64 %sum, 0
  call void @assume(i1 %same)
`)
	fmt.Fprintf(&b, "  %%small = icmp ult i64 %%j, %d\n  call void @assume(i1 %%small)\n", most)
	for k := range n {
		fmt.Fprintf(&b, "  %%k%d = add i64 %%i, %d\n  %%p%d = gep ptr %%t, i64 %%k%d * 1\n  store i8 0, ptr %%p%d, align 1\n", k, k, k, k, k)
	}
	b.WriteString("  ret void\n}\n")
	return b.String()
}

func run(t *testing.T, text string, cfg exec.Config) *exec.Result {
	t.Helper()
	s, err := ir.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	cfg.Confirm = func(*exec.Site, *exec.Witness) error { return nil }
	return exec.Run(s, cfg)
}

// What holds between two branches is asked of the solver at once.
func TestPropertiesAreAskedTogether(t *testing.T) {
	one, four := run(t, tableStores(1, 56), exec.Config{}), run(t, tableStores(4, 56), exec.Config{})
	for _, r := range []*exec.Result{one, four} {
		for _, s := range r.Sites {
			if s.Refuted != nil || s.Reason != "" {
				t.Errorf("%s at %v: %s, want proved", s.Kind, s.Place, s.Reason)
			}
		}
	}
	if one.Stats.Queries == 0 || four.Stats.Queries > one.Stats.Queries {
		t.Errorf("four accesses ask %d questions, one %d", four.Stats.Queries, one.Stats.Queries)
	}
}

// Where one of them fails, that one does, and no other.
func TestTheOneThatFailsIsFound(t *testing.T) {
	r := run(t, tableStores(4, 62), exec.Config{})
	var refuted []int
	for _, s := range r.Sites {
		if s.Refuted != nil {
			refuted = append(refuted, s.Place.Inst)
		}
	}
	// Indices up to 61, and one, two, three more: the last alone is past the end.
	if len(refuted) != 1 || refuted[0] != 8+3*4-1 {
		t.Errorf("refuted at %v, want the last store alone", refuted)
	}
}

// A question that is as hard as one before it about the same site, which is open still, does not take the budget of what comes after.
func TestHardQuestionsAreNotAskedOften(t *testing.T) {
	var b strings.Builder
	b.WriteString(`kvslice 1
arch x86_64
extern @any "kvfarm_any_u32" () -> i32
extern @assert "kvfarm_assert" (i1)
func @check () {
b0:
`)
	for range 6 {
		b.WriteString("  call void @hard()\n")
	}
	// 1500450271 * 3367900313, of which no solver finds the factors soon. (Those near a power of two CaDiCaL does.)
	b.WriteString(`  %x = call i32 @any()
  %y = and i32 %x, 7
  %z = and i32 %y, %x
  %easy = icmp ule i32 %z, %x
  call void @assert(i1 %easy)
  ret void
}
func @hard () {
b0:
  %x = call i32 @any()
  %y = call i32 @any()
  %p = zext i32 %x to i64
  %q = zext i32 %y to i64
  %r = mul i64 %p, %q
  %no = icmp ne i64 %r, 5053366937341834823
  call void @assert(i1 %no)
  ret void
}
`)
	// What one such question costs hangs on the backend: asked as often as it is called each would take half as much again.
	budget := map[string]int64{"cdcl": 7_500, "cadical": 10_500}[sat.Backend]
	r := run(t, b.String(), exec.Config{Budget: budget})
	if len(r.Sites) != 2 || r.Sites[0].Reason != "" || r.Sites[1].Reason != "budget" {
		for _, s := range r.Sites {
			t.Errorf("%s at %v: %q", s.Kind, s.Place, s.Reason)
		}
	}
}
