package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"
)

// Journal keeps a queue's tasks for a queue that comes after it.
type Journal interface {
	// Write keeps each record in place of the earlier one of its name, or drops
	// that if it is Gone. When it returns nil all of them outlive the process,
	// and the machine's end too, but for those that are Leased and come last;
	// after an error any part of them may.
	Write([]Record) error
	// Load returns what is kept, each name once.
	Load() ([]Record, error)
}

// ErrJournal says that the journal takes nothing, because the disk is full for
// instance. What was to be recorded is tried again with the next record.
var ErrJournal = errors.New("operations cannot be recorded")

// Record is what must be known of a task to go on with it.
type Record struct {
	Name     string // of the operation
	Gone     bool   // it is to be forgotten; nothing else is set
	Seq      uint64 // tasks that came earlier have smaller ones
	Task     Task
	Queued   time.Time
	Attempt  int
	Leased   bool
	Worker   string
	Setbacks []string
	Outcome  *Outcome
}

// plain is a Record in JSON but for its result, which is a message.
type plain struct {
	Record
	Outcome *plainOutcome `json:",omitempty"`
}

type plainOutcome struct {
	Result  []byte `json:",omitempty"`
	Ran     bool   // Result is one, be it empty
	Message string
	Failure *Failure `json:",omitempty"`
}

// Encode returns r as bytes.
func (r *Record) Encode() ([]byte, error) {
	p := plain{Record: *r}
	if o := r.Outcome; o != nil {
		p.Outcome = &plainOutcome{Ran: o.Result != nil, Message: o.Message, Failure: o.Failure}
		var err error
		if p.Outcome.Result, err = proto.Marshal(o.Result); err != nil {
			return nil, fmt.Errorf("encode operation %q: %w", r.Name, err)
		}
	}
	return json.Marshal(p)
}

// DecodeRecord is the inverse of Encode.
func DecodeRecord(b []byte) (Record, error) {
	var p plain
	if err := json.Unmarshal(b, &p); err != nil {
		return Record{}, fmt.Errorf("decode operation: %w", err)
	}
	r := p.Record
	if o := p.Outcome; o != nil {
		r.Outcome = &Outcome{Message: o.Message, Failure: o.Failure}
		if o.Ran {
			r.Outcome.Result = &repb.ActionResult{}
			if err := proto.Unmarshal(o.Result, r.Outcome.Result); err != nil {
				return Record{}, fmt.Errorf("decode operation %q: %w", r.Name, err)
			}
		}
	}
	return r, nil
}

// recorder hands records to a journal in their order, as many at a time as
// have gathered while it wrote.
type recorder struct {
	journal Journal // nil: nothing is kept
	mu      sync.Mutex
	idle    sync.Cond // nobody writes
	writing bool
	pending []Record
	added   uint64 // records so far
	written uint64 // of them
}

func newRecorder(j Journal) *recorder {
	r := &recorder{journal: j}
	r.idle.L = &r.mu
	return r
}

// add takes a record and returns its number, for wait.
func (r *recorder) add(rec Record) uint64 {
	if r.journal == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(r.pending, rec)
	r.added++
	return r.added
}

// wait returns when record n is kept. Whoever comes first writes for all.
func (r *recorder) wait(n uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.written < n {
		if r.writing {
			r.idle.Wait()
		} else if err := r.write(); err != nil {
			return fmt.Errorf("%w: %w", ErrJournal, err)
		}
	}
	return nil
}

// write writes all that is pending. r.mu is held, but not meanwhile.
func (r *recorder) write() error {
	part := r.pending
	r.pending, r.writing = nil, true
	r.mu.Unlock()
	err := r.journal.Write(part)
	r.mu.Lock()
	r.writing = false
	r.idle.Broadcast()
	if err != nil {
		r.pending = append(part, r.pending...)
		return err
	}
	r.written += uint64(len(part))
	return nil
}

// all returns when everything is kept that was added before.
func (r *recorder) all() error {
	r.mu.Lock()
	n := r.added
	r.mu.Unlock()
	return r.wait(n)
}

// ready tries again what could not be kept. While that fails nothing new
// should begin.
func (r *recorder) ready() error {
	r.mu.Lock()
	behind := len(r.pending) > 0
	r.mu.Unlock()
	if !behind {
		return nil
	}
	return r.all()
}
