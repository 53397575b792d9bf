package worker_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// TestUnprivileged runs other tests as a user without privileges, whose sandboxes
// have user namespaces.
func TestUnprivileged(t *testing.T) {
	sandboxtest.Unprivileged(t, "^(TestOutputs|TestHostileOutputs|TestOddNames|TestOutputThatNobodyMayRead|TestCutOutput|TestCached|TestTimeout|TestRootOfItsOwn)$")
}
