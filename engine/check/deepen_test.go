package check_test

import (
	"fmt"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// countRounds panics when two loops around each other, to the ends that its inputs
// name, have made most rounds together. Each round is some work.
const countRounds = `kvslice 1
arch x86_64
global @l0 loc 0
extern @over "core::panicking::panic" panic panic (ptr) noreturn
func @root (i64 %%n, i64 %%m, i64 %%x) -> i64 {
entry:
  br label %%outer
outer:
  %%i = phi i64 [0, entry], [%%i1, next]
  %%c = phi i64 [0, entry], [%%d, next]
  %%v = phi i64 [%%x, entry], [%%w, next]
  %%more = icmp ult i64 %%i, %%n
  br i1 %%more, label %%inner, label %%done
inner:
  %%j = phi i64 [0, outer], [%%j1, round]
  %%d = phi i64 [%%c, outer], [%%d1, round]
  %%w = phi i64 [%%v, outer], [%%w1, round]
  %%again = icmp ult i64 %%j, %%m
  br i1 %%again, label %%check, label %%next
check:
  %%bad = icmp ugt i64 %%d, %d
  br i1 %%bad, label %%panic, label %%round
round:
  %%d1 = add i64 %%d, 1
  %%w0 = xor i64 %%w, %%d
  %%w1 = add i64 %%w0, %%j
  %%j1 = add i64 %%j, 1
  br label %%inner
next:
  %%i1 = add i64 %%i, 1
  br label %%outer
done:
  ret i64 %%v
panic:
  call void @over(ptr @l0) noreturn
  unreachable
}
inputs {
  bits 8 align 8
  bits 8 align 8
  bits 8 align 8
}
`

// Few rounds are looked at first: what more of them have no budget for is proved up to
// those, and what only more of them show is found.
func TestDeepened(t *testing.T) {
	prove := func(most int, cfg exec.Config) *verdict.Verdict {
		t.Helper()
		v, err := check.Prove(parsed(t, fmt.Sprintf(countRounds, most)), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const short, ample = 1500, 20_000 // for some rounds, for 64 of them
	for _, tt := range []struct {
		name  string
		most  int // rounds before the panic
		cfg   exec.Config
		word  verdict.Word
		bound int
	}{
		{"eight rounds starve", 200, exec.Config{Budget: short, LoopBound: 8}, verdict.Unknown, 8},
		{"one does not", 200, exec.Config{Budget: short}, verdict.ProvedTo, 1},
		{"nor do eight with more", 200, exec.Config{Budget: ample}, verdict.ProvedTo, 8},
		{"a later round fails", 3, exec.Config{Budget: ample, LoopBound: 1}, verdict.ProvedTo, 1},
		{"it is looked at", 3, exec.Config{Budget: ample}, verdict.Refuted, 0},
	} {
		v := prove(tt.most, tt.cfg)
		if v.Verdict != tt.word || tt.word != verdict.Unknown && v.Bound != tt.bound {
			t.Errorf("%s: %s up to %d (%s), want %s up to %d", tt.name, v.Verdict, v.Bound, v.Reason, tt.word, tt.bound)
		}
		if tt.word == verdict.Unknown && v.Reason != verdict.Budget {
			t.Errorf("%s: %s, want %s", tt.name, v.Reason, verdict.Budget)
		}
	}
}

// A function without parameters is an automatic root like any other, if the slice says that its inputs are not its own.
func TestNoParameters(t *testing.T) {
	const text = `kvslice 1
arch x86_64
global @l0 loc 0
global @end align 8 = zero 8
extern @over "core::panicking::panic" panic panic (ptr) noreturn
func @root () {
entry:
  %%n = load i64, ptr @end, align 8
  br label %%head
head:
  %%i = phi i64 [0, entry], [%%next, round]
  %%more = icmp ult i64 %%i, %%n
  br i1 %%more, label %%check, label %%done
check:
  %%bad = icmp ugt i64 %%i, 200
  br i1 %%bad, label %%panic, label %%round
round:
  %%next = add i64 %%i, 1
  br label %%head
done:
  ret void
panic:
  call void @over(ptr @l0) noreturn
  unreachable
}
%s`
	for inputs, want := range map[string]int{"inputs {\n}\n": 8, "": 0} {
		v, err := check.Prove(parsed(t, fmt.Sprintf(text, inputs)), exec.Config{Budget: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		if v.Bound != want {
			t.Errorf("%q: %s up to %d, want %d", inputs, v.Verdict, v.Bound, want)
		}
	}
}
