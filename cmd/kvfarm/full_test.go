package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// A submit whose disk fills up, wherever it does, says which disk and what to
// do, keeps the store whole, and goes on once there is room. The sizes are such
// that the toolchain cannot be stored, then not unpacked, then not all compiled.
func TestKernelFullDisk(t *testing.T) {
	r := newRig(t, newest)
	r.state = smallDisk(t)
	for _, step := range []struct {
		size, during string
	}{
		{"500m", "import toolchain"},
		{"1500m", "config x86"},
		{"2000m", "rustc"},
	} {
		r.resize(step.size)
		out, err := r.command(t.TempDir(), "check_sizes").CombinedOutput()
		says := string(out)
		if code := err.(*exec.ExitError).ExitCode(); code != report.ExitFailed {
			t.Errorf("%s: status %d, want %d", step.size, code, report.ExitFailed)
		}
		for _, want := range []string{step.during, "the disk that holds " + r.state + " is full", "kvfarm cache gc --state " + r.state} {
			if !strings.Contains(says, want) {
				t.Errorf("%s: says %s, want %q", step.size, says, want)
			}
		}
		if out, err := exec.Command(r.bin, "cache", "fsck", "--state", r.state).CombinedOutput(); err != nil {
			t.Errorf("%s: fsck: %v\n%s", step.size, err, out)
		}
		if t.Failed() {
			return
		}
	}
	r.resize("5g")
	again, _ := r.submit("check_sizes")
	wantVerdict(t, again, "check_sizes", pb.Verdict_PROVED)
	for _, a := range ran(again) {
		if strings.HasPrefix(a, "config ") || strings.HasPrefix(a, "plan ") {
			t.Errorf("%s was finished before the disk was full and ran again", a)
		}
	}
}

// smallDisk mounts a file system that can be resized.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := filepath.Clean(t.TempDir())
	need(t, "a disk of its own", unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func (r *rig) resize(size string) {
	r.t.Helper()
	if err := unix.Mount("", r.state, "", unix.MS_REMOUNT, "size="+size); err != nil {
		r.t.Fatal(err)
	}
}
