package queue

import (
	"errors"
	"fmt"
	"strings"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// Errors of the queue's calls.
var (
	ErrClosed   = errors.New("queue is closed")
	ErrFull     = errors.New("queue is full")
	ErrUnknown  = errors.New("no such operation")
	ErrPlatform = errors.New("unknown platform property")
	ErrLost     = errors.New("lease is over")
	ErrDenied   = errors.New("the farm does not let this worker take leases") // of a queue elsewhere
)

// Task is a request to run one action.
type Task struct {
	Instance   string
	Action     digest.Digest // of the Action message
	DoNotCache bool          // as in the Action: such tasks are never merged
	Platform   []Property    // what a worker must offer
	Priority   int32         // smaller runs earlier, as in REv2
	Timeout    time.Duration // of the command alone; zero: the worker's default
	Origin     Origin
}

// Origin says who asked for a task. Invocations take turns.
type Origin struct {
	Tool       string // a name and a version
	Invocation string // one run of the tool
	What       string // the action, as the tool calls it: its mnemonic and target
	Trace      string // its span, as the W3C's traceparent; "" if nobody traces
}

// Property is a platform property. In a worker's offer the value "*" stands
// for every value.
type Property struct{ Name, Value string }

// Any is the offered value that matches every wanted one.
const Any = "*"

// Worker is what takes a lease.
type Worker struct {
	Name       string
	Properties []Property // what it offers
}

// Stage is how far a task has come.
type Stage uint8

// The stages. From Fetching to Uploading a worker holds a lease.
const (
	Queued Stage = iota
	Fetching
	Running
	Uploading
	Done
)

// String returns the stage in lower case.
func (s Stage) String() string {
	if int(s) >= len(stageNames) {
		return fmt.Sprintf("stage %d", uint8(s))
	}
	return stageNames[s]
}

var stageNames = [...]string{"queued", "fetching", "running", "uploading", "done"}

// State is a task as a waiter sees it.
type State struct {
	Name     string // of the operation
	Instance string
	Action   digest.Digest
	Stage    Stage
	Worker   string // who holds the lease, or held the last one
	Attempt  int    // leases so far
	Queued   time.Time
	Outcome  *Outcome // set if and only if Stage is Done; shared, not to be changed
}

// Outcome is how a task ended. Either the action ran to an exit code, then
// Failure is nil, or the farm has no result of it and Failure says why.
type Outcome struct {
	Result  *repb.ActionResult // with a Failure: what there was of it, or nil
	Message string             // for people; not part of what is cached
	Failure *Failure
}

// Kind says which sort of failure it was.
type Kind uint8

// The kinds of failure. Fault is the zero value: what nobody classified is
// the farm's own fault.
const (
	Fault     Kind = iota // the worker's own trouble; another one may do better
	Lost                  // every worker that took it was lost or had a Fault, or no other could help
	Timeout               // the command ran longer than it may
	Missing               // blobs that the action names are not in the store
	Invalid               // the action can never run: malformed, or asks for what is refused
	Cancelled             // nobody waited for it any more, or a client said so
	Returned              // the worker ends and hands its lease back; that is no setback
)

// String returns the kind in lower case.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return kindNames[k]
}

var kindNames = [...]string{"fault", "lost", "timeout", "missing", "invalid", "cancelled", "returned"}

// Failure is an error of the farm, as data: it travels from worker to client.
type Failure struct {
	Kind    Kind
	Reason  string
	Missing []digest.Digest // of Kind Missing: all of them
}

// Error implements error.
func (f *Failure) Error() string { return f.Kind.String() + ": " + f.Reason }

// accepts reports whether a worker that offers have can run what wants want.
func accepts(have, want []Property) bool {
	for _, w := range want {
		if !offers(have, w) {
			return false
		}
	}
	return true
}

func offers(have []Property, want Property) bool {
	for _, h := range have {
		if h.Name == want.Name && (h.Value == Any || h.Value == want.Value) {
			return true
		}
	}
	return false
}

// platformKey renders properties so that equal lists have equal keys.
func platformKey(ps []Property) string {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "%q=%q,", p.Name, p.Value)
	}
	return b.String()
}
