package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/kbuild/graph"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Suites of KUnit, by chance and of a witness, compile as drivers of a kernel
// that has KUnit: with its own flags, against its own crate.
func TestKernelKUnit(t *testing.T) {
	r := newRig(t, newest)
	r.edit("samples/rust/Makefile", "obj-$(CONFIG_SAMPLE_RUST_MINIMAL)", "obj-$(CONFIG_KUNIT) += chance.o witness.o\nobj-$(CONFIG_SAMPLE_RUST_MINIMAL)")
	r.suite("samples/rust/chance.rs", "--runs", "3", "check_delta_as_micros_ceil", "check_delta_sign")
	r.suite("samples/rust/witness.rs", "--witness", kunitWitness(t))
	config := filepath.Join(t.TempDir(), "kunit.config")
	if err := os.WriteFile(config, append(bytes.Clone(graph.Archs[0].AllRust), "CONFIG_KUNIT=y\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	r.flags = []string{"--config", config, "--budget", "1"}
	rep, _ := r.submit("samples/rust/chance.rs", "samples/rust/witness.rs")
	if len(rep.Errors) > 0 {
		t.Fatalf("errors %q\n%s", rep.Errors, r.log)
	}
	compiled := map[string]bool{}
	for _, a := range rep.Actions {
		compiled[a.Kind+" "+a.Name] = true
	}
	for _, name := range []string{"chance", "witness"} {
		if !compiled["rustc samples/rust/"+name] {
			t.Errorf("%s.rs was not compiled", name)
		}
	}
	// Without CONFIG_KUNIT there would be nothing in them that can fail.
	for _, file := range []string{"samples/rust/chance.rs", "samples/rust/witness.rs"} {
		if !slices.ContainsFunc(rep.Sites, func(s *pb.Site) bool { return s.File == file && s.Kind == "neg_overflow" }) {
			t.Errorf("the checks in %s are not compiled", file)
		}
	}
}

// suite writes the output of `kvfarm kunit` into the tree.
func (r *rig) suite(file string, args ...string) {
	r.t.Helper()
	out, err := exec.Command(r.bin, append([]string{"kunit", "-o", filepath.Join(r.tree, file)}, args...)...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("kunit %v: %v: %s", args, err, out)
	}
}

// kunitWitness is a witness of a shipped check, as submit would leave one.
func kunitWitness(t *testing.T) string {
	t.Helper()
	b, err := json.Marshal(job.WitnessFile{Version: job.WitnessVersion,
		Root:   position.Root{Name: "check_delta_rem_nanos", Symbol: "check_delta_rem_nanos", Kind: position.Check},
		Inputs: []verdict.Input{{Name: "any#0", Bits: 64, Value: "7"}, {Name: "any#1", Bits: 32, Value: "9"}}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "witness.json")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestKUnitRefuses(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{nil, "which check?"},
		{[]string{"check_nothing"}, "no written check is called check_nothing"},
		{[]string{"--witness", "nowhere.json"}, "nowhere.json"},
		{[]string{"--witness", kunitWitness(t), "check_delta_sign"}, "name no other check"},
		{[]string{"check_delta_sign", "--runs", "0"}, "0 runs"},
	}
	for _, tt := range tests {
		c := newKUnit()
		var out bytes.Buffer
		c.SetOut(&out)
		c.SetErr(&out)
		c.SetArgs(tt.args)
		if err := c.Execute(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("kunit %q: error = %v, want one with %q", tt.args, err, tt.want)
		}
	}
}
