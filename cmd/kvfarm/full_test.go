package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// A submit whose disk fills up, wherever it does, says which disk and what to
// do, keeps the store whole, and goes on once there is room; and goes on once
// more when it is killed. The sizes are such that the toolchain cannot be
// stored, then not unpacked, then not all compiled; how large it is says the
// first try.
func TestKernelFullDiskAndKilled(t *testing.T) {
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
	r.wantResumed("check_sizes")
}

// wantResumed kills a submit and has it go on: nothing that was finished runs
// again, config and plan of an earlier try included. What comes out is the same
// to the byte as in another store and for a tree at another path: every action
// has the digest that it has there, and so the same inputs.
func (r *rig) wantResumed(check string) {
	t := r.t
	elsewhere, _ := newRig(t, newest).submit(check)
	finished := append(r.kill(4, check), "config x86", "plan x86")
	again, _ := r.submit(check)
	r.wantPlanned(len(again.Actions))
	wantVerdict(t, again, check, pb.Verdict_PROVED)
	for _, a := range finished {
		if slices.Contains(ran(again), a) {
			t.Errorf("%s was finished before the kill and ran again", a)
		}
	}
	digests := map[string]string{}
	for _, a := range elsewhere.Actions {
		digests[a.Kind+" "+a.Name] = a.Digest
	}
	for _, a := range again.Actions {
		if want := digests[a.Kind+" "+a.Name]; a.Digest != want {
			t.Errorf("%s %s has digest %s here and %s elsewhere", a.Kind, a.Name, a.Digest, want)
		}
	}
	if out, err := exec.Command(r.bin, "cache", "fsck", "--state", r.state).CombinedOutput(); err != nil {
		t.Errorf("fsck: %v\n%s", err, out)
	}
}

// kill kills a submit once n actions have finished, and returns those.
func (r *rig) kill(n int, target string) []string {
	r.t.Helper()
	cmd := r.command(r.t.TempDir(), target)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	var finished []string
	for lines := bufio.NewScanner(stderr); len(finished) < n && lines.Scan(); {
		if f := strings.Fields(lines.Text()); strings.HasPrefix(lines.Text(), "[") && len(f) == 4 {
			finished = append(finished, f[1]+" "+f[2])
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		r.t.Fatal(err)
	}
	cmd.Wait()
	if len(finished) < n {
		r.t.Fatalf("the submit ended after %q", finished)
	}
	return finished
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
