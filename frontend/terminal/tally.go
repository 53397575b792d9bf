package terminal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/kbuild"
)

// tally is what the display knows of a submit.
type tally struct {
	total, done, hits int
	fixed             bool
	failures          int
	live              map[int]action
	start             time.Time
}

type action struct {
	what  string
	stage kbuild.Stage
	since time.Time
}

func newTally(now time.Time) *tally { return &tally{live: map[int]action{}, start: now} }

// add takes in e, which came at now.
func (t *tally) add(e event.Event, now time.Time) {
	switch e.Kind {
	case event.Planned:
		t.total, t.fixed = e.Total, e.Fixed
	case event.Staged:
		t.live[e.ID] = action{what: e.Action + " " + report.Clip(e.Name), stage: e.Stage, since: now}
	case event.Done:
		delete(t.live, e.ID)
		if !e.Extra {
			t.done++
		}
		if e.Cached {
			t.hits++
		}
	case event.Skipped:
		t.done++
	case event.Failed:
		t.failures++
	}
}

// line is the state in one line of at most width columns.
func (t *tally) line(now time.Time, width int) string {
	parts := []string{t.progress(), fmt.Sprintf("%d hits", t.hits)}
	if t.failures > 0 {
		parts = append(parts, fmt.Sprintf("%d can fail", t.failures))
	}
	parts = append(parts, now.Sub(t.start).Round(time.Second).String(), t.stages(now))
	s := strings.TrimSuffix(strings.Join(parts, " · "), " · ")
	if r := []rune(s); width > 1 && len(r) >= width {
		s = string(r[:width-2]) + "…"
	}
	return s
}

// progress shows "done/total"; a "+" says that the total is not known yet.
func (t *tally) progress() string {
	if t.fixed {
		return fmt.Sprintf("%d/%d", t.done, t.total)
	}
	return fmt.Sprintf("%d/%d+", t.done, max(t.total, t.done+len(t.live)))
}

// stages counts what waits and names what runs, the longest first.
func (t *tally) stages(now time.Time) string {
	var counts [3]int
	var running []action
	for _, a := range t.live {
		counts[a.stage]++
		if a.stage == kbuild.Running {
			running = append(running, a)
		}
	}
	slices.SortFunc(running, func(a, b action) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.what, b.what))
	})
	var parts []string
	for s, n := range counts {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %v", n, kbuild.Stage(s)))
		}
	}
	s := strings.Join(parts, ", ")
	for i, a := range running {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		s += fmt.Sprintf("%s%s %v", sep, a.what, now.Sub(a.since).Round(time.Second))
	}
	return s
}
