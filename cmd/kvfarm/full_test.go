package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// A submit whose disk fills up, wherever it does, says which disk and what to
// do, keeps the store whole, and goes on once there is room. The sizes are such
// that the toolchain cannot be stored, then not unpacked, then not all compiled;
// how large it is says the first try.
func TestKernelFullDisk(t *testing.T) {
	r := newRig(t, newest)
	r.state = smallDisk(t)
	var toolchain int64 // in MiB
	for _, step := range []struct {
		size   func() int64 // in MiB
		during string
	}{
		{func() int64 { return 500 }, "import toolchain"},
		{func() int64 { return toolchain * 3 / 2 }, "config x86"},
		{func() int64 { return 2*toolchain + 230 }, "rustc"},
	} {
		size := fmt.Sprint(step.size(), "m")
		r.resize(size)
		out, err := r.command(t.TempDir(), "check_sizes").CombinedOutput()
		says := string(out)
		if m := storing.FindStringSubmatch(says); m != nil {
			toolchain, _ = strconv.ParseInt(m[1], 10, 64)
		}
		if code := err.(*exec.ExitError).ExitCode(); code != report.ExitFailed {
			t.Errorf("%s: status %d, want %d", size, code, report.ExitFailed)
		}
		for _, want := range []string{step.during, "the disk that holds " + r.state + " is full", "kvfarm cache gc --state " + r.state} {
			if !strings.Contains(says, want) {
				t.Errorf("%s: says %s, want %q", size, says, want)
			}
		}
		if out, err := exec.Command(r.bin, "cache", "fsck", "--state", r.state).CombinedOutput(); err != nil {
			t.Errorf("%s: fsck: %v\n%s", size, err, out)
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

// storing is what a submit says of the toolchain that it imports.
var storing = regexp.MustCompile(`storing the toolchain: \d+ files, (\d+) MiB`)

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
