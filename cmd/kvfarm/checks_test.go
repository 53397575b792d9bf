package main

import (
	"regexp"
	"testing"

	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/kbuild/rust"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

var checkFunction = regexp.MustCompile(`(?m)^pub extern "C" fn (check\w*)\(`)

// Of the newest kernel every check that is shipped compiles and is proved: elsewhere
// one that does not compile is left out, and nobody would miss it.
func TestKernelChecks(t *testing.T) {
	crates, err := rust.Checks()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range crates {
		found := checkFunction.FindAllSubmatch(c.Files["lib.rs"], -1)
		if len(found) == 0 {
			t.Errorf("%s holds no check", c.Name)
		}
		for _, m := range found {
			names = append(names, string(m[1]))
		}
	}
	r := newRig(t, newest)
	rep, code := r.submit(names...)
	if code != report.ExitDecided {
		t.Errorf("status %d, want %d: %q", code, report.ExitDecided, rep.Errors)
	}
	wantAllChecks(t, rep)
	for _, name := range names {
		wantVerdict(t, rep, name, pb.Verdict_PROVED)
	}
}
