package stage

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNumbers holds the numbers of the interpreter to those that programs are
// written with: they stand in both.
func TestNumbers(t *testing.T) {
	text, err := os.ReadFile("interpreter_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	// Names, arguments of calls by register, kinds by where they lead.
	for _, form := range []string{`(?m)^#define (\w+) \$?(\w+)$`, `(?m)^\tMOVQ (?P<n>\d+)\(R13\), (\w+)$`, `(?m)^\tCMPQ BX, \$(?P<n>\d+)\n\tJEQ  (\w+)$`} {
		re := regexp.MustCompile(form)
		name, number := 1, 2
		if n := re.SubexpIndex("n"); n >= 0 {
			name, number = 2, n
		}
		for _, m := range re.FindAllStringSubmatch(string(text), -1) {
			if got[m[name]], err = strconv.ParseUint(m[number], 0, 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := map[string]uint64{
		"CONTROL": ControlFD, "BASE": Base,
		"FAILED": Failed, "ERRNO": Errno, "PID": PID, "ON_FAILURE": OnFailure,
		"KIND": StepKind, "CALL_NUMBER": StepCall, "STORE": StepStore, "IGNORE": StepIgnore, "JUMP": StepJump, "SIZE": StepSize,
		"fork": uint64(Fork), "wait": uint64(Wait), "thread": uint64(Thread), "drain": uint64(Drain), "jump": uint64(Jump),
		"READ": 0, "MMAP": 9, "EXIT_GROUP": 231,
	}
	for i, register := range []string{"DI", "SI", "DX", "R10", "R8", "R9"} {
		want[register] = StepArgs + 8*uint64(i)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("interpreter_amd64.s (-want +got)\n%s", diff)
	}
}
