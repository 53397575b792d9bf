package worker_test

import (
	"fmt"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/queue"
)

// nested is a tree of depth folders called name, each times in the one above.
func (f *farm) nested(t *testing.T, name string, depth, times int) digest.Digest {
	t.Helper()
	d := digest.Empty
	for range depth {
		dir := &repb.Directory{}
		for i := range times {
			dir.Directories = append(dir.Directories, &repb.DirectoryNode{Name: fmt.Sprint(name, i), Digest: d.Proto()})
		}
		d = f.message(t, dir)
	}
	return d
}

// TestHostileInputs has input roots that no worker could make: that is told at
// once, and not tried elsewhere.
func TestHostileInputs(t *testing.T) {
	f := newFarm(t)
	file := f.put(t, []byte("x")).Proto()
	for _, c := range []struct {
		name, reason string
		root         digest.Digest
	}{
		{"very deep", "deeper than the limit", f.nested(t, "d", 600, 1)},
		{"long paths", "name too long", f.nested(t, strings.Repeat("d", 200), 100, 1)},
		{"2^40 folders in 40 messages", "more entries than the limit", f.nested(t, "d", 40, 2)},
		{"upwards", "..", f.message(t, &repb.Directory{Files: []*repb.FileNode{{Name: "..", Digest: file}}})},
		{"elsewhere", "/", f.message(t, &repb.Directory{Files: []*repb.FileNode{{Name: "../../etc/passwd", Digest: file}}})},
		{"through a link", "twice", f.message(t, &repb.Directory{
			Symlinks:    []*repb.SymlinkNode{{Name: "d", Target: "/etc"}},
			Directories: []*repb.DirectoryNode{{Name: "d", Digest: f.nested(t, "x", 1, 1).Proto()}}})},
		{"no message", "", f.put(t, []byte("this is no directory"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := act("nothing")
			a.change = func(m *repb.Action) { m.Platform, m.InputRootDigest = nil, c.root.Proto() }
			o := f.run(t, a)
			if o.Failure == nil || o.Failure.Kind != queue.Invalid || !strings.Contains(o.Failure.Reason, c.reason) {
				t.Errorf("failure is %v, want invalid: %s; result %v", o.Failure, c.reason, o.Result)
			}
			if next := f.run(t, act("echo", c.name)); next.Failure != nil || string(next.Result.StdoutRaw) != c.name+"\n" {
				t.Errorf("the next action: %v, %v", next.Failure, next.Result)
			}
		})
	}
}
