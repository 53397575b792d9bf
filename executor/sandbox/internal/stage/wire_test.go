package stage

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWire(t *testing.T) {
	want := &Spec{Dir: "d", Root: "r", Lower: "a:b", Copy: true, Scratch: "size=1",
		Argv: []string{"x", "\x00\xff"}, Search: []string{"", "/bin/x"}, Env: []string{}, WorkDir: "/x", Mkdirs: []string{"/x/o"}, UID: 1, GID: 2,
		Become: true, Settles: true, Limits: []Limit{{Resource: 3, Value: 4}}}
	var b bytes.Buffer
	if err := Write(&b, want); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	got := &Spec{}
	if err := Read(bytes.NewReader(whole), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for n := range whole {
		cut := bytes.Clone(whole[:n])
		if n >= 8 { // the head says what is there
			cut[6], cut[7] = byte((n-8)>>8), byte(n-8)
		}
		if err := Read(bytes.NewReader(cut), &Spec{}); err == nil {
			t.Fatalf("%d of %d bytes are enough", n, len(whole))
		}
	}
}
