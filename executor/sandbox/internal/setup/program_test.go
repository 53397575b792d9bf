package setup

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/stage"
)

// spec is one that uses all there is, but for layers that are copied.
func spec() *Spec {
	return &Spec{Dir: "/", Root: "/root", Lower: "a:b", Scratch: "size=1", Argv: []string{"x"}, Search: []string{"/bin/x", "/x", ""},
		WorkDir: "/x/y", Mkdirs: []string{"/x/y/z"}, UID: 1, GID: 2, Become: true, Settles: true, Loopback: true, Filter: "12345678", Limits: []Limit{{unix.RLIMIT_CORE, 0}}}
}

// TestAddresses holds that each address in a program is of a step, or of the
// data: there is nothing to check that when it runs.
func TestAddresses(t *testing.T) {
	p, sent, err := New(spec())
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	size, first, body := le.Uint64(sent), le.Uint64(sent[8:]), sent[16:]
	end := stage.Base + size
	if uint64(len(body)) != size || (end-first)/stage.StepSize != uint64(len(p.steps)) {
		t.Fatalf("%d bytes, %d announced, steps from %#x", len(body), size, first)
	}
	isStep := func(a uint64) bool { return a >= first && a < end && (a-first)%stage.StepSize == 0 }
	if a := le.Uint64(body[stage.OnFailure:]); !isStep(a) {
		t.Errorf("on failure: %#x", a)
	}
	for i := range p.steps {
		s := body[first-stage.Base+uint64(i)*stage.StepSize:]
		// The last step, exit, is followed by nothing.
		if a := le.Uint64(s[stage.StepJump:]); !isStep(a) && i < len(p.steps)-1 {
			t.Errorf("step %d, %s: jumps to %#x", i, p.steps[i].about, a)
		}
		if a := le.Uint64(s[stage.StepStore:]); a != 0 && (a < stage.Base || a+4 > end || a >= first && (a-first)%stage.StepSize < stage.StepArgs) {
			t.Errorf("step %d, %s: stores at %#x", i, p.steps[i].about, a)
		}
	}
}

func TestReport(t *testing.T) {
	p, sent, err := New(spec())
	if err != nil {
		t.Fatal(err)
	}
	var b [stage.ReportSize]byte
	le := binary.LittleEndian
	le.PutUint32(b[stage.Status:], 42<<8)
	le.PutUint64(b[stage.Usage:], 3)
	if r := p.Report(b); r.Step != "" || r.Exit != 42 || r.Usage.Utime.Sec != 3 {
		t.Errorf("%+v", r)
	}
	le.PutUint32(b[stage.Status:], uint32(unix.SIGTERM))
	if r := p.Report(b); r.Exit != 128+15 {
		t.Errorf("%+v", r)
	}
	for i, s := range p.steps {
		le.PutUint64(b[stage.Failed:], le.Uint64(sent[8:])+uint64(i)*stage.StepSize)
		le.PutUint64(b[stage.Errno:], uint64(unix.EIO))
		if r := p.Report(b); r.Step != s.about || r.Blame != s.blame || r.Errno != unix.EIO {
			t.Errorf("step %d, %s: %+v", i, s.about, r)
		}
	}
}
