package certificate_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/certificate"
	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// certify proves a slice of the corpus with evidence and returns the verdict.
func certify(t *testing.T, slice, dir string) []byte {
	t.Helper()
	if sat.Backend != "cadical" {
		t.Skip("proofs come from CaDiCaL: build with -tags cadical")
	}
	w, err := certificate.NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	v := prove(t, slice, exec.Config{Watch: w.Query})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return v
}

func prove(t *testing.T, slice string, cfg exec.Config) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../testdata", slice+".kvs"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	v, err := check.Prove(s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := v.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCertificates: all that these verdicts rest on has a proof that holds, and
// the verdict is the same with and without one.
func TestCertificates(t *testing.T) {
	for _, slice := range []string{"rustc/c02_arith", "rustc/c06_option", "rustc/c07_kvec", "kernel/drm_panic_qr_max_data_size"} {
		t.Run(slice, func(t *testing.T) {
			dir := t.TempDir()
			with := certify(t, slice, dir)
			if d := cmp.Diff(prove(t, slice, exec.Config{}), with); d != "" {
				t.Errorf("another verdict (-without +with):\n%s", d)
			}
			x, err := certificate.Check(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(x.Steps) == 0 || len(x.Open()) > 0 {
				t.Errorf("%d steps, open: %v", len(x.Steps), x.Open())
			}
		})
	}
}

// TestTwoRuns: a root whose loops are followed for longer the second time has conditions
// of two runs, and what is written down is those of each.
func TestTwoRuns(t *testing.T) {
	dir := t.TempDir()
	certify(t, "kernel/segment_iterator_next", dir)
	x, err := certificate.Check(dir)
	if err != nil {
		t.Fatal(err)
	}
	if open := x.Open(); len(x.Steps) < 50 || len(open) > len(x.Steps)/20 {
		t.Errorf("%d steps, open: %v", len(x.Steps), open)
	}
}

// TestForged: a certificate with another formula, another proof, or without one
// of its files is found out.
func TestForged(t *testing.T) {
	dir := t.TempDir()
	certify(t, "rustc/c02_arith", dir)
	for _, name := range []string{"00001.cnf", "00001.lrat", "index.json"} {
		file := filepath.Join(dir, name)
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for what, bad := range map[string][]byte{"truncated": good[:len(good)/2], "empty": nil} {
			if err := os.WriteFile(file, bad, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := certificate.Check(dir); err == nil {
				t.Errorf("%s passes %s", name, what)
			}
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if _, err := certificate.Check(dir); err == nil {
			t.Errorf("passes without %s", name)
		}
		if err := os.WriteFile(file, good, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := certificate.Check(dir); err != nil {
		t.Errorf("made whole again: %v", err)
	}
}

// TestIndexMustAddUp: an index that leaves contradictions out is none.
func TestIndexMustAddUp(t *testing.T) {
	for what, index := range map[string]string{
		"no step":       `{"version":1,"queries":3,"unsat":1,"steps":[]}`,
		"other version": `{"version":2,"queries":0,"unsat":0,"steps":[]}`,
		"foreign name":  `{"version":1,"queries":3,"unsat":1,"steps":[{"name":"../00001","proved":true,"answers":1}]}`,
		"no file":       `{"version":1,"queries":3,"unsat":1,"steps":[{"name":"00001","proved":true,"answers":1}]}`,
		"no index":      `[]`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "index.json"), []byte(index), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := certificate.Check(dir); err == nil {
			t.Errorf("%s: passes", what)
		}
	}
}
