package terminal

import (
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/kbuild"
)

func TestTallyLine(t *testing.T) {
	start := time.Unix(0, 0)
	events := []event.Event{
		{Kind: event.Planned, Total: 4},
		{Kind: event.Staged, ID: 0, Action: "rustc", Name: "core", Stage: kbuild.Queued},
		{Kind: event.Staged, ID: 1, Action: "rustc", Name: "kernel", Stage: kbuild.Queued},
		{Kind: event.Staged, ID: 1, Action: "rustc", Name: "kernel", Stage: kbuild.Running},
		{Kind: event.Done, ID: 2, Action: "config", Cached: true},
		{Kind: event.Failed},
	}
	tests := []struct {
		name  string
		more  []event.Event
		width int
		want  string
	}{
		{"growing", nil, 0, "1/4+ · 1 hits · 1 can fail · 12s · 1 queued, 1 running: rustc kernel 12s"},
		{"narrow", nil, 20, "1/4+ · 1 hits · 1 …"},
		{"fixed", []event.Event{{Kind: event.Planned, Total: 5, Fixed: true}}, 0, "1/5 · 1 hits · 1 can fail · 12s · 1 queued, 1 running: rustc kernel 12s"},
		{"extra and skipped", []event.Event{{Kind: event.Planned, Total: 5, Fixed: true}, {Kind: event.Done, ID: 1}, {Kind: event.Done, ID: 0, Extra: true}, {Kind: event.Skipped}}, 0, "3/5 · 1 hits · 1 can fail · 12s"},
		{"idle", []event.Event{{Kind: event.Done, ID: 0}, {Kind: event.Done, ID: 1}}, 0, "3/4+ · 1 hits · 1 can fail · 12s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			y := newTally(start)
			for _, e := range append(append([]event.Event{}, events...), tt.more...) {
				y.add(e, start)
			}
			if got := y.line(start.Add(12*time.Second), tt.width); got != tt.want {
				t.Errorf("line = %q, want %q", got, tt.want)
			}
		})
	}
}
