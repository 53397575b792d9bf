// Package terminal shows a submit to a person: a live line at the bottom of a
// terminal, plain lines where there is none (a log, a pipe). Failures are
// written above the live line as they are found.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Display is an event.Sink that writes to a person.
type Display struct {
	mu      sync.Mutex
	tally   *tally
	out     io.Writer // for lines: above the bar, if there is one
	dir     string    // of the report
	bars    *mpb.Progress
	bar     *mpb.Bar
	plain   bool
	planned bool // was told
	closed  bool
	known   func(*pb.Site) bool
}

// New returns a Display on f. It is live if f is a terminal that can be
// redrawn. dir is the report's folder, for replay lines. Failures that are
// guarded, or known, if that is not nil, are not told as they come.
func New(f *os.File, dir string, known func(*pb.Site) bool) *Display {
	d := &Display{tally: newTally(time.Now()), out: f, dir: dir, known: known}
	d.plain = !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb"
	if d.plain {
		return d
	}
	d.bars = mpb.New(mpb.WithOutput(f), mpb.WithRefreshRate(120*time.Millisecond), mpb.WithAutoRefresh())
	d.bar = d.bars.New(0, mpb.NopStyle(), mpb.BarRemoveOnComplete(), mpb.AppendDecorators(decor.Any(d.line)))
	d.out = d.bars
	return d
}

func (d *Display) line(s decor.Statistics) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tally.line(time.Now(), s.AvailableWidth)
}

// Emit implements event.Sink.
func (d *Display) Emit(e event.Event) {
	d.mu.Lock()
	d.tally.add(e, time.Now())
	text := d.text(e)
	closed := d.closed
	d.mu.Unlock()
	if text != "" && !closed {
		// Outside the lock: the bar's writer waits for a redraw, which takes it.
		io.WriteString(d.out, text)
	}
}

// text is what e is worth in lines. On a log every executed action has one;
// hits are too many and too quick to tell.
func (d *Display) text(e event.Event) string {
	switch e.Kind {
	case event.Failed:
		if e.Site.Guarded || d.known != nil && d.known(e.Site) {
			return ""
		}
		return failure(e, d.dir)
	case event.Note:
		return e.Text + "\n"
	case event.Planned:
		// What proofs ask for later, a shard at a time, shows in the count of each line.
		if d.plain && e.Fixed && !d.planned {
			d.planned = true
			return fmt.Sprintf("planned: %d actions\n", e.Total)
		}
	case event.Done:
		if d.plain && !e.Cached {
			return fmt.Sprintf("[%s] %s %s %v%s\n", d.tally.progress(), e.Action, report.Clip(e.Name), e.Wall.Round(time.Millisecond), exit(e.Exit))
		}
	}
	return ""
}

func exit(code int) string {
	if code == 0 {
		return ""
	}
	return fmt.Sprintf(" exit %d", code)
}

func failure(e event.Event, dir string) string {
	var b strings.Builder
	report.Failure(&b, e.Site, dir)
	return b.String() + "\n"
}

// Close takes the live line away.
func (d *Display) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	if d.bars == nil {
		return
	}
	d.bar.SetTotal(-1, true)
	d.bar.Abort(true)
	d.bars.Wait()
}
