package main

import (
	"strings"
	"testing"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// A kind of action that there is none of was mistyped, and the cache was used.
func TestNoteKinds(t *testing.T) {
	r := &pb.Report{Cache: []*pb.CacheRow{{Kind: "lower"}, {Kind: "prove"}}}
	for _, test := range []struct {
		kinds []string
		want  string
	}{
		{nil, ""},
		{[]string{everything}, ""},
		{[]string{"prove", "lower"}, ""},
		{[]string{"lower", "porve"}, "kvfarm: --no_cache=porve: no action is of that kind; there were lower, prove\n"},
	} {
		var said strings.Builder
		w := work{noCache: test.kinds, err: &said}
		if w.noteKinds(r); said.String() != test.want {
			t.Errorf("--no_cache=%v: says %q, want %q", test.kinds, said.String(), test.want)
		}
	}
}
