package job

import (
	"context"
	"sync"

	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/rust"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Observer is a Runner that tells of each action's fate as an event, and keeps
// the list of actions for the report.
type Observer struct {
	runner kbuild.Runner
	events event.Sink

	mu      sync.Mutex
	next    int
	actions []*pb.Action
}

// Observe returns an Observer of r.
func Observe(r kbuild.Runner, events event.Sink) *Observer {
	return &Observer{runner: r, events: events}
}

// Run implements kbuild.Runner.
func (o *Observer) Run(ctx context.Context, a *kbuild.Action) (*kbuild.Result, error) {
	o.mu.Lock()
	id := o.next
	o.next++
	o.mu.Unlock()
	seen := *a
	seen.Staged = func(s kbuild.Stage) {
		o.events.Emit(event.Event{Kind: event.Staged, ID: id, Action: a.Kind, Name: a.Name, Stage: s})
		if a.Staged != nil {
			a.Staged(s)
		}
	}
	r, err := o.runner.Run(ctx, &seen)
	done := event.Event{Kind: event.Done, ID: id, Action: a.Kind, Name: a.Name, Extra: a.Kind == rust.ReplayKind || a.Kind == runKind}
	if err != nil {
		if ctx.Err() == nil { // what was called off has not come to an end
			done.Exit = -1
			o.events.Emit(done)
		}
		return nil, err
	}
	done.Cached, done.Exit, done.Wall = r.Cached, r.ExitCode, r.Wall
	o.events.Emit(done)
	o.note(a, r)
	return r, nil
}

func (o *Observer) note(a *kbuild.Action, r *kbuild.Result) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.actions = append(o.actions, &pb.Action{
		Kind: a.Kind, Name: a.Name, Digest: r.Action.String(), Cached: r.Cached,
		WallSeconds: r.Wall.Seconds(), CpuSeconds: r.CPU.Seconds(), Worker: r.Worker, ExitCode: int32(r.ExitCode),
	})
}

// Actions returns the actions that finished so far.
func (o *Observer) Actions() []*pb.Action {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.actions
}
