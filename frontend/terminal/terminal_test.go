package terminal

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/frontend/event"
)

func TestLogHasALineForTheNews(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := New(f, "", nil)
	for _, e := range []event.Event{
		{Kind: event.Planned, Total: 1},
		{Kind: event.Done, ID: 0, Action: "rustc", Name: "core", Wall: time.Second},
		{Kind: event.Planned, Total: 3, Fixed: true},
		{Kind: event.Done, ID: 1, Action: "lower", Name: "core", Cached: true},
		{Kind: event.Planned, Total: 4, Fixed: true},
		{Kind: event.Done, ID: 2, Action: "prove", Name: "f", Exit: 1},
		{Kind: event.Note, Text: "more"},
	} {
		d.Emit(e)
	}
	d.Close()
	got, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	const want = "[1/1+] rustc core 1s\nplanned: 3 actions\n[3/4] prove f 0s exit 1\nmore\n"
	if string(got) != want {
		t.Errorf("the log is\n%swant\n%s", got, want)
	}
}
