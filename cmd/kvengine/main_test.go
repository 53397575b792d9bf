package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/verdict"
)

const refuted = "../../engine/testdata/refuted/table.kvs"

func TestProveAndReplay(t *testing.T) {
	dir := t.TempDir()
	out, result := filepath.Join(dir, "v.json"), filepath.Join(dir, "r.json")
	if err := run([]string{"prove", "--out", out, refuted}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verdict.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if v.Verdict != verdict.Refuted || len(v.Witnesses) != 2 {
		t.Errorf("verdict %v with %d witnesses", v.Verdict, len(v.Witnesses))
	}
	if err := run([]string{"replay", "--out", result, refuted, out}); err != nil {
		t.Fatal(err)
	}
	b, err = os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), `"reached": true`); n != 2 {
		t.Errorf("%d of 2 witnesses replayed:\n%s", n, b)
	}
}

// What is no plain file is written to and stays what it was.
func TestOutIsALink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "v.json"), filepath.Join(dir, "stdout")
	if err := errors.Join(os.WriteFile(file, []byte("before"), 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"prove", "--out", link, refuted}); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != file {
		t.Errorf("the link is gone: %q, %v", to, err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verdict.Decode(b); err != nil {
		t.Errorf("through the link: %v", err)
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile(refuted)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	cut := file("cut.kvs", string(whole[:len(whole)/2]))
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no command", nil, "no command"},
		{"command", []string{"guess"}, `"guess" is no command`},
		{"flag", []string{"prove", "--fast", refuted}, "fast"},
		{"no slice", []string{"prove"}, "0 files given, want 1"},
		{"budget", []string{"prove", "--budget", "-1", refuted}, "must not be negative"},
		{"missing", []string{"prove", filepath.Join(dir, "none.kvs")}, "read slice"},
		{"cut", []string{"prove", "--out", filepath.Join(dir, "v.json"), cut}, "cut.kvs"},
		{"empty", []string{"prove", "--out", filepath.Join(dir, "v.json"), file("empty.kvs", "")}, "empty.kvs"},
		{"verdict", []string{"replay", refuted, file("bad.json", `{"version":1,`)}, "decode verdict"},
		{"shard", []string{"prove", "--shard", "0.1", refuted}, "no decision"},
		{"no certificate", []string{"check", dir}, "read certificate"},
		{"foreign verdict", []string{"replay", refuted, file("v9.json", `{"version":9}`)}, "version 9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := run(tt.args)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "v.json")); err == nil {
		t.Error("a verdict was written for a slice that could not be read")
	}
}

func TestKnows(t *testing.T) {
	slice := "kvslice 1\narch x86_64\nextern @e \"reboot\" ()\nfunc @f () {\n  call void @e()\n  ret void\n}\n"
	known := "kvslice 1\narch x86_64\nfunc @f () {\n  ret void\n}\n"
	var out strings.Builder
	if err := knows(strings.NewReader(known+"\n"+slice+known), &out, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "\nstub: reboot\n\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := knows(strings.NewReader("kvslice 1\nnonsense"), &out, nil); err == nil {
		t.Error("a broken slice is taken")
	}
}

// TestProveShard proves the halves that a verdict for want of budget names. The
// same half is the same bytes: that is what its key in a cache stands for.
func TestProveShard(t *testing.T) {
	out := filepath.Join(t.TempDir(), "v.json")
	read := func(args ...string) ([]byte, *verdict.Verdict) {
		t.Helper()
		if err := run(append(append([]string{"prove"}, args...), "--out", out, "../../engine/testdata/proved/loop.kvs")); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		v, err := verdict.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		return b, v
	}
	_, whole := read("--budget", "120")
	halves, err := verdict.Split("", whole.Frontier, 2)
	if err != nil || len(halves) != 2 || whole.Reason != verdict.Budget {
		t.Fatalf("%s: halves %q, %v", whole.Reason, halves, err)
	}
	var parts []*verdict.Verdict
	for _, h := range halves {
		b, v := read("--shard", h)
		if again, _ := read("--shard", h); string(b) != string(again) || v.Shard == nil || v.Shard.Of != h {
			t.Errorf("shard %s is\n%s\nthen\n%s", h, b, again)
		}
		parts = append(parts, v)
	}
	if v, err := verdict.Join(whole, parts); err != nil || v.Verdict != verdict.Proved {
		t.Errorf("joined: %v, %v", v, err)
	}
}

// What a person gets wrong about which part of a root is decided is said, and nothing is written.
func TestProveWrongPart(t *testing.T) {
	out := filepath.Join(t.TempDir(), "v.json")
	for want, args := range map[string][]string{
		"--of is for --alone":         {"--of", "1"},
		`"99" is no function`:         {"--alone", "--of", "0,99"},
		`"x" is no function`:          {"--alone", "--of", "x"},
		"--shard divides what --held": {"--held", "--shard", "0.31~1/1.44~0+5"},
	} {
		err := run(append(append([]string{"prove"}, args...), "--out", out, refuted))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a verdict was written")
	}
}
