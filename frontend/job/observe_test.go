package job_test

import (
	"context"
	"testing"

	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/kbuild"
)

// stopped is a farm whose client goes away while an action waits, or just as it ends.
type stopped struct {
	stop   func()
	result *kbuild.Result
}

func (s stopped) Run(ctx context.Context, _ *kbuild.Action) (*kbuild.Result, error) {
	s.stop()
	if s.result != nil {
		return s.result, nil
	}
	return nil, ctx.Err()
}

// What was called off did not end: a thousand lines about actions that never ran would say so.
func TestCalledOffIsNotDone(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	rec := &recorder{}
	if _, err := job.Observe(stopped{stop, nil}, rec).Run(ctx, &kbuild.Action{Kind: "prove", Name: "f"}); err == nil {
		t.Error("no error")
	}
	if len(rec.events) > 0 {
		t.Errorf("told of %+v", rec.events)
	}
}

// What ended is told of, whatever was called off meanwhile.
func TestEndedIsDone(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	rec := &recorder{}
	o := job.Observe(stopped{stop, &kbuild.Result{}}, rec)
	if _, err := o.Run(ctx, &kbuild.Action{Kind: "prove", Name: "f"}); err != nil {
		t.Error(err)
	}
	if len(rec.events) != 1 || len(o.Actions()) != 1 {
		t.Errorf("told of %+v, noted %v", rec.events, o.Actions())
	}
}
