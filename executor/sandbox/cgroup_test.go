package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
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
			"pids/a/b/GROUP/pids.max":                      "8", // with the seat
		}},
		{"version 2", version2, map[string]string{"cgroup.controllers": "cpu memory pids\n"}, map[string]string{
			"cgroup.subtree_control":     "+memory +pids",
			"a/cgroup.subtree_control":   "+memory +pids",
			"a/b/cgroup.subtree_control": "+memory +pids",
			"a/b/GROUP/memory.max":       "100",
			"a/b/GROUP/memory.swap.max":  "0",
			"a/b/GROUP/pids.max":         "7",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			mount := plain(t, c.files)
			g, err := newGroups(c.layout, mount, "a/b")
			if err != nil {
				t.Fatal(err)
			}
			one, err := g.take()
			if err != nil {
				t.Fatal(err)
			}
			if err := one.begin(limits{memory: 100, processes: 7}); err != nil {
				t.Fatal(err)
			}
			defer one.close()
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

// plain is a folder with files that stands for the machine's cgroups.
func plain(t *testing.T, files map[string]string) string {
	t.Helper()
	mount := t.TempDir()
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(mount, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(mount, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return mount
}

func TestGroupsAreUsedAgain(t *testing.T) {
	g, err := newGroups(version1, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	first, err := g.take()
	if err != nil {
		t.Fatal(err)
	}
	second, err := g.take()
	if err != nil {
		t.Fatal(err)
	}
	defer first.close()
	defer second.close()
	g.give(first)
	third, err := g.take()
	if err != nil {
		t.Fatal(err)
	}
	if first == second || third != first {
		t.Error("groups are shared, or not used again")
	}
}

// TestStart has processes say which group they are in: they were born there.
func TestStart(t *testing.T) {
	for _, c := range []struct {
		name   string
		layout *layout
		dirs   map[string]string // less the group's own
	}{
		{"version 1", &version1, map[string]string{"memory": cgroupMount + "/memory", "pids": cgroupMount + "/pids"}},
		{"version 2", &version2, map[string]string{"pids": cgroupMount}},
		{"version 2 beside version 1", &version2, map[string]string{"pids": cgroupMount + "/unified"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := fmt.Sprintf("kvfarm-test-%d", os.Getpid())
			g := &group{layout: c.layout, dirs: map[string]string{}}
			for controller, dir := range c.dirs {
				g.dirs[controller] = filepath.Join(dir, name)
				if err := os.Mkdir(g.dirs[controller], 0o755); err != nil {
					t.Skip("there is no such cgroup to be made here: ", err)
				}
				t.Cleanup(func() { _ = os.Remove(g.dirs[controller]) })
				if _, err := os.Stat(filepath.Join(g.dirs[controller], "cgroup.procs")); err != nil {
					t.Skip("that is no cgroup: ", err)
				}
			}
			if err := g.open(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				var out strings.Builder
				cmd := exec.Command("cat", "/proc/self/cgroup")
				cmd.Stdout, cmd.SysProcAttr = &out, &syscall.SysProcAttr{}
				if err := g.start(cmd); err != nil {
					t.Fatal(err)
				}
				if err := cmd.Wait(); err != nil || strings.Count(out.String(), name) != len(c.dirs) {
					t.Errorf("%v\n%s", err, out.String())
				}
			}
			if err := g.remove(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLimitsOfLeftOvers has a group be used again: its limit stays only if what
// is charged to it leaves room for a process to start.
func TestLimitsOfLeftOvers(t *testing.T) {
	mount := t.TempDir()
	g, err := newGroups(version1, mount, "")
	if err != nil {
		t.Fatal(err)
	}
	const limit = 100 << 20
	for usage, want := range map[int]string{0: fmt.Sprint(limit), limit - 1<<20: "-1"} {
		one, err := g.take()
		if err != nil {
			t.Fatal(err)
		}
		if err := one.begin(limits{memory: limit, processes: 1}); err != nil {
			t.Fatal(err)
		}
		if err := write(one.dirs["memory"], version1.usage, fmt.Sprintln(usage)); err != nil {
			t.Fatal(err)
		}
		g.give(one)
		if one, err = g.take(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(one.dirs["memory"], "memory.limit_in_bytes"))
		if string(got) != want {
			t.Errorf("with %d bytes charged the limit is %s, want %s; %v", usage, got, want, err)
		}
		g.give(one)
	}
	if err := g.free[0].close(); err != nil {
		t.Fatal(err)
	}
}

// TestKills: a group counts for good, and only what was killed in a command is
// that command's. No limit is written twice.
func TestKills(t *testing.T) {
	g, err := newGroups(version2, plain(t, map[string]string{"cgroup.controllers": "memory pids"}), "")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		counted int
		want    bool
	}{{0, false}, {2, true}, {2, false}, {3, true}} {
		one, err := g.take()
		if err != nil {
			t.Fatal(err)
		}
		if err := one.begin(limits{processes: 7}); err != nil {
			t.Fatal(err)
		}
		if max, err := os.ReadFile(filepath.Join(one.dirs["pids"], "pids.max")); i > 0 && string(max) != "" || err != nil {
			t.Errorf("the limit is written again: %q, %v", max, err)
		}
		for file, content := range map[string]string{version2.events: fmt.Sprintf("oom 9\noom_kill %d\n", c.counted), "pids.max": ""} {
			if err := write(one.dirs["memory"], file, content); err != nil {
				t.Fatal(err)
			}
		}
		r := &Result{}
		one.account(r)
		if r.OutOfMemory != c.want {
			t.Errorf("with %d kills counted: %v", c.counted, r.OutOfMemory)
		}
		g.give(one)
	}
}

// seated is the thread of one who asks for a thread on the first one, as which
// all that is initialised runs.
var seated = make(chan int, 1)

func init() { onThread(func() { seated <- unix.Gettid() }) }

func TestSeatIsNotTheFirstThread(t *testing.T) {
	if <-seated == os.Getpid() {
		t.Error("it is")
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

// The question whether the kernel has clone3 starts nothing. Every kernel that we run on has it.
func TestCanBeBorn(t *testing.T) {
	if err := canBeBorn(); err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
		t.Error(err)
	}
}
