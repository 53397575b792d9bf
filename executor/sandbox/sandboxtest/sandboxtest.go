// Package sandboxtest makes roots for tests, with one static program in them:
// the actor, which plays well-behaved and hostile commands.
package sandboxtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kvfarm/kvfarm/executor/sandbox"
)

// Actor is the actor's path in a Root.
const Actor = "/bin/actor"

// Open returns a Host. Where namespaces are refused it skips the test, but
// fails it if KVFARM_CI is 1.
func Open(t testing.TB, cfg sandbox.Config) *sandbox.Host {
	t.Helper()
	h, err := sandbox.Open(cfg)
	if errors.Is(err, sandbox.ErrRefused) && os.Getenv("KVFARM_CI") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// Root makes a root with the actor in it.
func Root(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range append([]string{"bin"}, sandbox.MountPoints...) {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := Build()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, Actor), program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// actorPath is the actor's package.
const actorPath = "github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest/actor"

// Built names a file with the actor in it, for processes that cannot build it.
const Built = "KVFARM_TEST_ACTOR"

// Build returns the actor's bytes.
var Build = sync.OnceValues(func() ([]byte, error) {
	if name := os.Getenv(Built); name != "" {
		return os.ReadFile(name)
	}
	here, err := exec.Command("go", "list", "-f", "{{.Dir}}", actorPath).Output() // what is built with -trimpath does not know
	if err != nil {
		return nil, fmt.Errorf("find the actor: %w", err)
	}
	sources, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(here)), "*.go"))
	if err != nil {
		return nil, err
	}
	for _, source := range sources {
		if _, err := os.Stat(source); err != nil { // so that the test cache knows that it is read
			return nil, err
		}
	}
	dir, err := os.MkdirTemp("", "actor")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out := filepath.Join(dir, "actor")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", out, actorPath)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if msg, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(err, errors.New(string(msg)))
	}
	return os.ReadFile(out)
})
