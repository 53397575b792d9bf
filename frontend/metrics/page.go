package metrics

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/kvfarm/kvfarm/executor/queue"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"size": size, "since": since}).Parse(pageText))

// pageHeld bounds the actions that the page lists.
const pageHeld = 200

// view is what the page shows.
type view struct {
	Ready   bool
	Up      time.Time
	Amounts []shown
	Hits    int64
	Asked   int64 // of the action cache
	Percent int64 // of these that were hits
	Stages  []stage
	Idle    int
	Workers map[string]int // with work: how many actions each has
	Held    []queue.Held
	More    int // that are not listed
}

type shown struct {
	Help  string
	Bytes int64
}

type stage struct {
	Name  string
	Tasks int
}

// page writes what the farm does now, for people. It asks to be loaded again.
func (f *Farm) page(w http.ResponseWriter, ready bool) {
	s := view{Ready: ready, Up: f.begun, Hits: f.hits.Load(), Workers: map[string]int{}}
	if s.Asked = s.Hits + f.misses.Load(); s.Asked > 0 {
		s.Percent = 100 * s.Hits / s.Asked
	}
	for _, a := range f.amounts {
		if n, err := a.bytes(); err == nil {
			s.Amounts = append(s.Amounts, shown{a.help, n})
		}
	}
	if f.queue != nil {
		counts := f.queue.Counts()
		for i, n := range counts.Stages {
			s.Stages = append(s.Stages, stage{queue.Stage(i).String(), n})
		}
		s.Idle = counts.Idle
		s.Held = f.queue.Held()
		for _, h := range s.Held {
			s.Workers[h.Worker]++
		}
		s.More = max(0, len(s.Held)-pageHeld)
		s.Held = s.Held[:len(s.Held)-s.More]
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, s) // who asked may be gone
}

// size is a number of bytes for people.
func size(n int64) string {
	f := float64(n)
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if f < 1024 {
			return fmt.Sprintf("%.4g %s", f, unit)
		}
		f /= 1024
	}
	return fmt.Sprintf("%.4g TiB", f)
}

// since is how long ago t was, for people.
func since(t time.Time) string { return time.Since(t).Round(time.Second).String() }
