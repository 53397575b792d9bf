package cut

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
)

const forwards = `kvslice 1
global @at loc 0
global @there loc 1
global @table const align 8 = ptr @kept
extern @panic "core::option::unwrap_failed" panic unwrap_none (ptr) -> void noreturn

func @root () {
  call void @one(ptr @at)
  call void @kept(ptr @at)
  call void @two(ptr @at)
  call void @two(ptr @there)
  ret void
}

func @one (ptr %at) {
  call void @panic(ptr %at)
  unreachable
}

func @kept (ptr %at) {
  call void @panic(ptr %at)
  unreachable
}

func @two (ptr %at) {
  call void @panic(ptr %at)
  unreachable
}
`

// A call that forwards its location has one site for each; who is called by an
// address may be handed others.
func TestSitesOfForwardedLocations(t *testing.T) {
	s, err := ir.Parse([]byte(forwards))
	if err != nil {
		t.Fatal(err)
	}
	want := []position.Site{
		{Func: 1, Kind: "unwrap_none", Loc: 0},
		{Func: 2, Kind: "unwrap_none", Loc: 0, More: true},
		{Func: 3, Kind: "unwrap_none", Loc: 0},
		{Func: 3, Kind: "unwrap_none", Loc: 1},
	}
	if d := cmp.Diff(want, sites(s)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
