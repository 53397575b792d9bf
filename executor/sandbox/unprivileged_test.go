package sandbox_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// TestUnprivileged runs the other tests as a user without privileges.
func TestUnprivileged(t *testing.T) {
	sandboxtest.Unprivileged(t, "^(TestRun|TestHostile|TestCalls|TestForeignCalls|TestViewAndUsage|TestLimitsAreReported|TestKill|TestCopy|TestSettle|TestWithoutClone3)$")
}
