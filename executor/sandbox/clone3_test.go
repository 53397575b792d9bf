package sandbox_test

import (
	"os"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// TestWithoutClone3 runs other tests where a filter refuses the call that starts
// a process in a control group, as those of older container engines do. Actions
// run all the same, held by limits of each process, and a note says so.
func TestWithoutClone3(t *testing.T) {
	if os.Getenv(inside) != "" {
		h := sandboxtest.Open(t, sandbox.Config{})
		notes := strings.Join(h.Notes(), "\n")
		if !strings.Contains(notes, "no cgroups (processes cannot be started in control groups: clone3:") || !strings.Contains(notes, "limited per process") {
			t.Errorf("notes say %q", notes)
		}
		return
	}
	sandboxtest.Open(t, sandbox.Config{})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := sandboxtest.Refuse(t.Context(), sandboxtest.NoClone3, self, "-test.v", "-test.run=^(TestWithoutClone3|TestHostile)$"+
		"/^(network|stay_in_the_background|fork_bomb|much_memory|memory_in_files)$")
	cmd.Env = append(cmd.Env, inside+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, ran := range []string{"TestWithoutClone3", "TestHostile/stay_in_the_background", "TestHostile/fork_bomb", "TestHostile/much_memory", "TestHostile/memory_in_files"} {
		if !strings.Contains(string(out), "--- PASS: "+ran) {
			t.Errorf("%s did not run:\n%s", ran, out)
		}
	}
}
