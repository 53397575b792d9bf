package sandbox_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// again says that the first process is this program, started again.
const again = "KVFARM_TEST_AGAIN"

// TestAgain runs other tests with the interpreter that is written in Go, and
// needs no file in memory that can be executed.
func TestAgain(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	if os.Getenv(again) != "" {
		t.Skip("this is one of them")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^(TestRun|TestHostile|TestKill|TestCopy)$",
		"-test.skip=^TestHostile$/^(ignore_signals|endless)$") // they want to have begun within 300 ms
	cmd.Env = append(os.Environ(), again+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
