package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGroups writes to plain files where a machine would have cgroups of
// either version.
func TestGroups(t *testing.T) {
	for _, c := range []struct {
		name   string
		layout layout
		files  map[string]string // that the machine has
		want   map[string]string // after a sandbox; GROUP is its folder
	}{
		{"version 1", version1, map[string]string{"memory/tasks": "", "pids/tasks": ""}, map[string]string{
			"memory/a/b/GROUP/memory.limit_in_bytes":       "100",
			"memory/a/b/GROUP/memory.memsw.limit_in_bytes": "100",
			"memory/a/b/GROUP/cgroup.procs":                "1234",
			"pids/a/b/GROUP/pids.max":                      "7",
			"pids/a/b/GROUP/cgroup.procs":                  "1234",
		}},
		{"version 2", version2, map[string]string{"cgroup.controllers": "cpu memory pids\n"}, map[string]string{
			"cgroup.subtree_control":     "+memory +pids",
			"a/cgroup.subtree_control":   "+memory +pids",
			"a/b/cgroup.subtree_control": "+memory +pids",
			"a/b/GROUP/memory.max":       "100",
			"a/b/GROUP/memory.swap.max":  "0",
			"a/b/GROUP/pids.max":         "7",
			"a/b/GROUP/cgroup.procs":     "1234",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			mount := t.TempDir()
			for name, content := range c.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(mount, name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(mount, name), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			g, err := newGroups(c.layout, mount, "a/b")
			if err != nil {
				t.Fatal(err)
			}
			one, err := g.take(limits{memory: 100, processes: 7})
			if err != nil {
				t.Fatal(err)
			}
			if err := one.join(1234); err != nil {
				t.Fatal(err)
			}
			group := filepath.Base(one.dirs["memory"])
			for name, want := range c.want {
				got, err := os.ReadFile(filepath.Join(mount, strings.Replace(name, "GROUP", group, 1)))
				if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
					t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
				}
			}
		})
	}
}

func TestGroupsAreUsedAgain(t *testing.T) {
	g, err := newGroups(version1, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	first, err := g.take(limits{processes: 1})
	if err != nil {
		t.Fatal(err)
	}
	second, err := g.take(limits{processes: 1})
	if err != nil {
		t.Fatal(err)
	}
	g.give(first)
	third, err := g.take(limits{processes: 2})
	if err != nil {
		t.Fatal(err)
	}
	if first == second || third != first {
		t.Error("groups are shared, or not used again")
	}
}

func TestVersion2WithoutControllers(t *testing.T) {
	mount := t.TempDir()
	if err := os.WriteFile(filepath.Join(mount, "cgroup.controllers"), []byte("cpu\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := newGroups(version2, mount, ""); err == nil || !strings.Contains(err.Error(), "not available") {
		t.Error(err)
	}
}
