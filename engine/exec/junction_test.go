package exec_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// counters pushes three times to a list that may be full each time, and counts
// in the list and beside it: the one count goes up where the push is, the other where it is known to have worked.
const counters = `kvslice 1
arch x86_64
extern @any "kvfarm_any_u8" () -> i8
extern @assert "kvfarm_assert" (i1)

func @check () {
b0:
  %len = alloca 8, align 8
  %n = alloca 8, align 8
  store i64 0, ptr %len, align 8
  store i64 0, ptr %n, align 8
  br b1
b1:
  %i = phi i64 [0, b0], [%next, b4]
  %more = icmp ult i64 %i, 3
  br i1 %more, b2, b5
b2:
  %skip = call i8 @any()
  %odd = trunc i8 %skip to i1
  br i1 %odd, b4, b6
b6:
  %done = call i1 @push(ptr %len)
  br i1 %done, b3, b5
b3:
  %old = load i64, ptr %n, align 8
  %new = add i64 %old, 1
  store i64 %new, ptr %n, align 8
  br b4
b4:
  %next = add i64 %i, 1
  br b1
b5:
  %x = load i64, ptr %len, align 8
  %y = load i64, ptr %n, align 8
  %same = icmp eq i64 %x, %y
  call void @assert(i1 %same)
  ret void
}

func @push (ptr %len) -> i1 {
b0:
  %full = call i8 @any()
  %no = trunc i8 %full to i1
  br i1 %no, b2, b1
b1:
  %old = load i64, ptr %len, align 8
  %new = add i64 %old, 1
  store i64 %new, ptr %len, align 8
  br b2
b2:
  %done = phi i1 [false, b0], [true, b1]
  ret i1 %done
}
`

// Two numbers that are the same on each path have the same form where the paths
// have met, and need no solver to be compared.
func TestMergedPathsKeepWhatTheyDecided(t *testing.T) {
	s, err := ir.Parse([]byte(counters))
	if err != nil {
		t.Fatal(err)
	}
	r := exec.Run(s, exec.Config{})
	if len(r.Sites) != 1 || r.Sites[0].Reason != "" || len(r.Stopped) > 0 {
		t.Fatalf("sites %+v, stopped %v", r.Sites, r.Stopped)
	}
	if r.Stats.Conflicts > 0 {
		t.Errorf("%d conflicts, want none", r.Stats.Conflicts)
	}
}
