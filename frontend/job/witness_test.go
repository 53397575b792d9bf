package job_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/job"
)

func TestFailuresAreToldOnceAndWritten(t *testing.T) {
	k := &fakeKernel{crates: map[string]string{"drivers/a.rs": "bad_1 good", "drivers/b.rs": "bad_2"}}
	got := submit(t, k, &fakeFarm{}, "drivers")
	failures := slices.DeleteFunc(got.events, func(e event.Event) bool { return e.Kind != event.Failed })
	// Both roots fail at one site: drivers/a.rs:5.
	if len(failures) != 1 || got.report.Totals.Refuted != 1 {
		t.Errorf("%d failures told, %d in the report, want 1", len(failures), got.report.Totals.Refuted)
	}
	dir := t.TempDir()
	stale := filepath.Join(dir, "witness", "0123456789abcdef-0.json")
	mine := filepath.Join(dir, "witness", "mine.json")
	for _, name := range []string{stale, mine} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, nil, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	if err := got.job.WriteWitnesses(context.Background(), dir, got.report); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("a witness of an earlier report is still there")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("a file that is no witness: %v", err)
	}
	w, err := job.ReadWitness(filepath.Join(dir, got.report.Sites[0].Witness))
	if err != nil {
		t.Fatal(err)
	}
	if w.Slice != `"bad_1"` || w.Inputs[0].Value != "7" {
		t.Errorf("witness = %+v", w)
	}
	name := filepath.Join(dir, got.report.Sites[0].Witness)
	if err := os.WriteFile(name, []byte("as it was"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := got.job.WriteWitnesses(context.Background(), dir, got.report); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "as it was" {
		t.Errorf("a witness that was there is written again: %q, %v", b, err)
	}
}

func TestReadWitnessRefuses(t *testing.T) {
	for _, text := range []string{"", "{", `{"version": 2}`} {
		name := filepath.Join(t.TempDir(), "w.json")
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := job.ReadWitness(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("ReadWitness(%q) = %v, want an error that names the file", text, err)
		}
	}
}
