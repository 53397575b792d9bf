package main

import (
	"testing"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// A worker elsewhere fetches, runs and stores by the action's digest function:
// its lease says which.
func TestDigestFunctionsOnAWorkerElsewhere(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	addr := socket(t)
	spawn(t, "serve", "--listen", addr, "--state", t.TempDir())
	startWorker(t, addr)
	for _, by := range digest.Functions() {
		t.Run(by.String(), func(t *testing.T) {
			c := connect(t, addr)
			c.by = by
			outputs(c)
			inliningAndMetadata(c)
		})
	}
}
