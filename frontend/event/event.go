// Package event is the stream of what happens during a submit. One stream
// feeds the terminal, and whoever else watches.
package event

import (
	"time"

	"github.com/kvfarm/kvfarm/kbuild"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Kind says what happened.
type Kind uint8

// The kinds of event.
const (
	Planned Kind = iota // Total actions are known to be needed; no more if Fixed
	Staged              // an action came to Stage
	Done                // an action finished
	Skipped             // an action that was planned turned out not to be needed
	Failed              // a check was refuted: Site
	Note                // Text for people
)

// Event is one thing that happened.
type Event struct {
	Kind   Kind
	ID     int // of the action within this submit
	Action string
	Name   string
	Stage  kbuild.Stage
	Cached bool
	Exit   int
	Wall   time.Duration // Done: of its execution
	Total  int           // Planned
	Fixed  bool          // Planned: Total is the last word
	Extra  bool          // Done: of an action that no plan counts, a replay of a witness or of what fuzzing found
	Site   *pb.Site
	Text   string
}

// Sink takes events; it may be called from many goroutines.
type Sink interface{ Emit(Event) }

// Discard drops all events.
var Discard Sink = discard{}

type discard struct{}

func (discard) Emit(Event) {}
