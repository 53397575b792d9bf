package position_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kvfarm/kvfarm/engine/position"
)

func TestMapRoundTrips(t *testing.T) {
	outer := position.Pos{File: "lib.rs", Line: 7, Col: 3, Func: "k::f"}
	m := &position.Map{
		Version: position.Version,
		Root:    "k::f",
		Locs:    []position.Pos{{File: "lib.rs", Line: 7, Col: 3}},
		Params:  []string{"url_len", ""},
		Funcs:   []position.Func{{Name: "k::f"}},
		Sites:   []position.Site{{Func: 0, Inst: 12, Kind: "bounds", Loc: 0}},
		Insts: position.NewFrames([]position.Inst{
			{Func: 0, Inst: 12, Frames: []position.Pos{{File: "core.rs", Line: 1, Col: 2, Func: "core::index"}, outer}},
			{Func: 1, Inst: 0, Frames: []position.Pos{outer}},
			{Func: 0, Inst: 2, Frames: []position.Pos{{File: "core.rs", Line: 9, Col: 2, Func: "core::index"}, outer}},
			{Func: 0, Inst: 3},
		}),
	}
	var b, again bytes.Buffer
	if err := m.Encode(&b); err != nil {
		t.Fatal(err)
	}
	got, err := position.Decode(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, got, cmpopts.IgnoreFields(position.Map{}, "Insts")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, at := range [][2]int{{0, 2}, {0, 12}, {1, 0}, {0, 3}, {7, 7}} {
		if diff := cmp.Diff(m.At(at[0], at[1]), got.At(at[0], at[1])); diff != "" {
			t.Errorf("%v: -want +got:\n%s", at, diff)
		}
	}
	want := []position.Pos{{File: "core.rs", Line: 9, Col: 2, Func: "core::index"}, outer}
	if diff := cmp.Diff(want, got.At(0, 2)); diff != "" {
		t.Errorf("frames of 0:2: -want +got:\n%s", diff)
	}
	if err := got.Encode(&again); err != nil {
		t.Fatal(err)
	}
	if b.String() != again.String() {
		t.Errorf("encoding is not stable:\n%s%s", &b, &again)
	}
}

// A table's numbers are one byte each here: files and names with a count and lengths,
// places with a count, then instructions.
func TestBadMapIsRefused(t *testing.T) {
	const good = "\x01\x01a\x01\x00" + "\x01\x00\x01\x01\x00\x00" + "\x01\x00\x00\x00"
	if _, err := position.Decode([]byte("{\"version\":2}\n" + good)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no line":       `{"version":2}`,
		"version":       "{\"version\":9}\n" + good,
		"no table":      "{\"version\":2}\n",
		"cut off":       "{\"version\":2}\n" + good[:len(good)-1],
		"too long":      "{\"version\":2}\n" + good + "\x00",
		"no file":       "{\"version\":2}\n\x00\x01\x00" + "\x01\x00\x01\x01\x00\x00" + "\x00",
		"own parent":    "{\"version\":2}\n\x01\x01a\x01\x00" + "\x01\x00\x01\x01\x00\x02" + "\x00",
		"twice":         "{\"version\":2}\n\x01\x01a\x01\x00" + "\x01\x00\x01\x01\x00\x00" + "\x02\x00\x00\x00\x00\x00\x00",
		"no such place": "{\"version\":2}\n\x00\x00\x00" + "\x01\x00\x00\x00",
		"huge count":    "{\"version\":2}\n\xff\xff\xff\xff\x07",
	} {
		if m, err := position.Decode([]byte(text)); err == nil {
			t.Errorf("%s: taken as %v", name, m)
		}
	}
}

func TestInputNames(t *testing.T) {
	m := &position.Map{Params: []string{"data", "data.1", ""}}
	for name, want := range map[string]string{
		"arg0": "data", "arg0.data[3]": "data.data[3]", "arg1": "data.1", "arg2": "arg2",
		"arg7": "arg7", "arg": "arg", "argument": "argument", "n": "n",
	} {
		if got := m.Input(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
