package sandbox_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// scene is a sandbox with one layer of inputs.
type scene struct {
	host *sandbox.Host
	root string
	dir  string
}

func newScene(t testing.TB, cfg sandbox.Config) *scene {
	t.Helper()
	return &scene{host: sandboxtest.Open(t, cfg), root: sandboxtest.Root(t), dir: t.TempDir()}
}

// run plays one act of the actor.
func (s *scene) run(t testing.TB, change func(*sandbox.Spec), act ...string) *sandbox.Result {
	t.Helper()
	spec := sandbox.Spec{Root: s.root, Argv: append([]string{sandboxtest.Actor}, act...)}
	if change != nil {
		change(&spec)
	}
	r, err := s.host.Run(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestID(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	r := s.run(t, nil, "id")
	t.Log(s.host.Notes())
	want := strings.Join([]string{
		"uid 65534 gid 65534 host kvfarm dir /x",
		"CapInh: 0000000000000000",
		"CapPrm: 0000000000000000",
		"CapEff: 0000000000000000",
		"CapBnd: 0000000000000000",
		"CapAmb: 0000000000000000",
		"NoNewPrivs: 1", ""}, "\n")
	if diff := cmp.Diff(want, string(r.Stdout.Bytes())); diff != "" {
		t.Errorf("(-want +got)\n%s%s", diff, r.Stderr.Bytes())
	}
}

func BenchmarkNothing(b *testing.B) {
	s := newScene(b, sandbox.Config{})
	for b.Loop() {
		r := s.run(b, func(s *sandbox.Spec) { s.Memory = 1 << 30; s.Timeout = time.Minute }, "nothing")
		if r.ExitCode != 0 {
			b.Fatal(string(r.Stderr.Bytes()))
		}
		r.Close()
	}
}
