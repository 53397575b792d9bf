package check_test

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// TestDifferentialOverlap proves generated roots with two pointers, and calls them
// with pointers into the same few bytes, in their middle. What is proved without
// the assumption that inputs lie apart and begin where they are pointed to must hold there too.
func TestDifferentialOverlap(t *testing.T) {
	t.Parallel()
	told, silent := differentialOverlap(t, generated(), false)
	if told == 0 || silent == 0 {
		t.Error("the generator does not show both")
	}
}

// TestDifferentialOverlaps is the same where nothing may be assumed.
func TestDifferentialOverlaps(t *testing.T) {
	t.Parallel()
	if told, silent := differentialOverlap(t, 2*generated(), true); told > 0 || silent == 0 {
		t.Errorf("something is assumed of where inputs lie in %d programs, not in %d", told, silent)
	}
}

// TestDifferentialGraph is the same for records that lead to each other, behind all sorts of pointers.
func TestDifferentialGraph(t *testing.T) {
	t.Parallel()
	for name, overlaps := range map[string]bool{"apart": false, "overlaps": true} {
		t.Run(name, func(t *testing.T) {
			told, silent, words := 0, 0, map[verdict.Word]int{}
			for seed := range seeds(generated() / 3) {
				root, closed := generateGraph(seed)
				v, err := check.Prove(parsed(t, root), exec.Config{Budget: 1_000_000, Overlaps: overlaps})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if slices.ContainsFunc(v.Assumptions, apart) {
					told++
					continue
				}
				silent++
				overlapped(t, seed, v, closed, words)
			}
			if silent == 0 || words[verdict.Proved] == 0 || overlaps && told > 0 {
				t.Errorf("assumed of %d, not of %d: %v", told, silent, words)
			}
			t.Logf("assumed of %d, not of %d: %v", told, silent, words)
		})
	}
}

// overlapped compares what is proved of assertions in a root with runs of a caller, which stands before it.
func overlapped(t *testing.T, seed int64, v *verdict.Verdict, caller string, words map[verdict.Word]int) {
	f := tryAll(t, parsed(t, caller))
	for _, s := range v.Sites {
		if s.Kind == "assert" {
			words[s.Verdict]++
		}
		if s.Verdict != verdict.Refuted && s.Verdict != verdict.Unknown && f.sites[placed(s.Kind, s.Loc, s.Func+1, s.Inst)] {
			t.Errorf("seed %d: %s at %d is %s, but fails where inputs overlap, assumed is %q\n%s",
				seed, s.Kind, s.Inst, s.Verdict, v.Assumptions, caller)
		}
	}
}

// differentialOverlap tells of how many of n programs something was assumed of where inputs lie, and of how many not.
func differentialOverlap(t *testing.T, n int64, overlaps bool) (told, silent int) {
	words := map[verdict.Word]int{}
	for seed := range seeds(n) {
		body := overlapping(rand.New(rand.NewSource(seed)))
		inputs := "inputs {\n  rawptr mut null bits 1 align 1\n  rawptr mut null bits 1 align 1\n}\n"
		if seed%2 == 1 {
			inputs = "inputs {\n  ref mut bits 4 align 1\n  ref bits 4 align 1\n}\n"
		}
		const head = "kvslice 1\narch x86_64\nextern @assert \"kvfarm_assert\" (i1)\n"
		root := "func @root (ptr noundef %a, ptr noundef %b) {\n" + body + "  ret void\n}\n"
		v, err := check.Prove(parsed(t, head+root+inputs), exec.Config{Budget: 1_000_000, Overlaps: overlaps})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if slices.ContainsFunc(v.Assumptions, apart) {
			told++
			continue
		}
		if seed%2 == 1 && slices.ContainsFunc(v.Sites, pastEnd) {
			continue // the end of what a reference leads to, behind which there is something here
		}
		silent++
		caller := head + "extern @any_i2 \"kvfarm_any_u8\" () -> i2 noundef\n" + overlappingCaller + root
		overlapped(t, seed, v, caller, words)
	}
	t.Logf("assumed of %d, not of %d: %v", told, silent, words)
	return told, silent
}

// pastEnd reports whether a run may leave an object.
func pastEnd(s verdict.Site) bool {
	return s.Kind == string(exec.OutOfBoundsLoad) || s.Kind == string(exec.OutOfBoundsStore) || s.Kind == string(exec.PoisonUse)
}

func apart(a string) bool {
	return a == verdict.Apart || strings.HasPrefix(a, verdict.RawPointers)
}

func parsed(t *testing.T, text string) *ir.Slice {
	t.Helper()
	s, err := ir.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s
}

// overlappingCaller calls the root with two pointers into 12 bytes of any content.
const overlappingCaller = `func @check () {
  %m = alloca 12, align 1
  %x = call i2 noundef @any_i2()
  %y = call i2 noundef @any_i2()
  %d = call i2 noundef @any_i2()
  %x8 = zext i2 %x to i8
  %y8 = zext i2 %y to i8
  %d64 = zext i2 %d to i64
  store i64 72340172838076673, ptr %m, align 1
  %m8 = gep inbounds nuw ptr %m, 8
  store i32 33686018, ptr %m8, align 1
  %a = gep inbounds nuw ptr %m, 4
  store i8 %x8, ptr %a, align 1
  %a1 = gep inbounds nuw ptr %m, 5
  store i8 %y8, ptr %a1, align 1
  %m3 = gep inbounds nuw ptr %m, 3
  %b = gep inbounds nuw ptr %m3, i64 %d64 * 1
  call void @root(ptr %a, ptr %b)
  ret void
}
`

// overlapping returns instructions that look at memory through %a and %b.
func overlapping(rnd *rand.Rand) string {
	var out strings.Builder
	ptrs, vals, n := []string{"%a", "%b"}, []string{"1", "2"}, 0
	pick := func(from []string) string { return from[rnd.Intn(len(from))] }
	def := func(format string, args ...any) string {
		n++
		name := fmt.Sprintf("%%v%d", n)
		fmt.Fprintf(&out, "  %s = %s\n", name, fmt.Sprintf(format, args...))
		return name
	}
	for range 4 + rnd.Intn(6) {
		switch p := pick(ptrs); rnd.Intn(10) {
		case 0, 1, 2, 3:
			vals = append(vals, def("load i8 noundef, ptr %s, align 1", p))
		case 4:
			fmt.Fprintf(&out, "  store i8 %s, ptr %s, align 1\n", pick(vals), p)
		case 5:
			ptrs = append(ptrs, def("gep %sptr %s, %d", pick([]string{"", "inbounds ", "inbounds "}), p, rnd.Intn(4)-1))
		case 6:
			bit := def("zext i8 %s to i64", def("and i8 %s, 1", pick(vals)))
			ptrs = append(ptrs, def("gep inbounds nuw ptr %s, i64 %s * 1", p, bit))
		case 7:
			vals = append(vals, def("zext i1 %s to i8", def("icmp %s ptr %s, %s", pick([]string{"eq", "ult"}), p, pick(ptrs))))
		case 8:
			diff := def("sub i64 %s, %s", def("ptrtoint ptr %s to i64", p), def("ptrtoint ptr %s to i64", pick(ptrs)))
			vals = append(vals, def("trunc i64 %s to i8", diff))
		case 9:
			vals = append(vals, def("add i8 %s, %s", pick(vals), pick(vals)))
		}
	}
	last := vals[len(vals)-1]
	fmt.Fprintf(&out, "  call void @assert(i1 %s)\n", def("icmp %s i8 %s, %s", pick([]string{"eq", "ne", "ult"}), last, pick(vals)))
	return out.String()
}
