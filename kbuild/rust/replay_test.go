package rust_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/rust"
)

func TestParseEnding(t *testing.T) {
	for _, c := range []struct {
		out  string
		want rust.Ending
	}{
		{"OK\n", rust.Ending{Word: rust.OK}},
		{"ASSERT kvfarm/checks/time/lib.rs:18\n", rust.Ending{Word: rust.Assert, File: "kvfarm/checks/time/lib.rs", Line: 18}},
		{"PANIC rust/kernel/time.rs:490:24: attempt to divide: by zero\n",
			rust.Ending{Word: rust.Panic, File: "rust/kernel/time.rs", Line: 490, Col: 24, Detail: "attempt to divide: by zero"}},
		{"MISSING mutex_lock\n", rust.Ending{Word: rust.Missing, Detail: "mutex_lock"}},
		{"CRASH 8 0x4004\n", rust.Ending{Word: rust.Crash, Detail: "8 0x4004"}},
	} {
		got, err := rust.ParseEnding(&kbuild.Result{Stdout: []byte(c.out)})
		if err != nil {
			t.Errorf("%q: %v", c.out, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q: %s", c.out, d)
		}
	}
	for _, r := range []kbuild.Result{{}, {ExitCode: 2}, {ExitCode: 1, Stdout: []byte("OK\n")}, {Stdout: []byte("FINE\n")}} {
		if got, err := rust.ParseEnding(&r); err == nil {
			t.Errorf("code %d, %q: got %v", r.ExitCode, r.Stdout, got)
		}
	}
}

func TestReplayAction(t *testing.T) {
	made := map[digest.Digest]string{}
	add := func(b []byte) tree.Entry {
		made[digest.Of(b)] = string(b)
		return tree.Entry{Digest: digest.Of(b)}
	}
	bc := []tree.Entry{{Digest: digest.Of([]byte("core"))}, {Digest: digest.Of([]byte("check"))}}
	r := rust.Replay{Check: "check_x", Bitcode: bc, Inputs: []rust.Input{{"any#0", 64, "5"}, {"fail#1", 1, "0"}}}
	a, err := r.Action(add)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"sh", "replay/replay.sh", "check_x", "replay/inputs", "replay/000.bc", "replay/001.bc"}
	if d := cmp.Diff(want, a.Argv); d != "" {
		t.Error(d)
	}
	for _, f := range append(want[3:], "replay/replay.sh", "replay/harness.c", "replay/missing.awk") {
		if _, ok := a.Inputs[f]; !ok {
			t.Errorf("%s is no input", f)
		}
	}
	if got := made[a.Inputs["replay/inputs"].Digest]; got != "any#0 64 5\nfail#1 1 0\n" {
		t.Errorf("inputs %q", got)
	}
}

func TestFuzz(t *testing.T) {
	add := func(b []byte) tree.Entry { return tree.Entry{Digest: digest.Of(b)} }
	f := rust.Fuzz{Check: "check_x", Seed: 7, Runs: 1000, Bitcode: []tree.Entry{{Digest: digest.Of(nil)}}}
	a, err := f.Action(add)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"sh", "replay/fuzz.sh", "check_x", "7", "1000", "replay/000.bc"}, a.Argv); d != "" {
		t.Error(d)
	}
	out := "ASSERT a.rs:3\nany#0 128 340282366920938463463374607431768211455\nfail#1 1 0\n"
	e, inputs, err := rust.ParseFuzz(&kbuild.Result{Stdout: []byte(out)})
	if err != nil {
		t.Fatal(err)
	}
	want := []rust.Input{{"any#0", 128, "340282366920938463463374607431768211455"}, {"fail#1", 1, "0"}}
	if d := cmp.Diff(want, inputs); d != "" || e.Word != rust.Assert {
		t.Errorf("%v %s", e, d)
	}
	for _, out := range []string{"", "ASSERT a.rs:3\nany#0 8\n", "ASSERT a.rs:3\nany#0 x 1\n"} {
		if _, _, err := rust.ParseFuzz(&kbuild.Result{Stdout: []byte(out)}); err == nil {
			t.Errorf("%q is taken", out)
		}
	}
}
