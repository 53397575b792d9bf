package job_test

import (
	"context"
	"testing"

	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/kbuild"
)

// stopped is a farm whose client goes away while an action waits.
type stopped struct{ stop func() }

func (s stopped) Run(ctx context.Context, _ *kbuild.Action) (*kbuild.Result, error) {
	s.stop()
	return nil, ctx.Err()
}

// What was called off did not end: a thousand lines about actions that never ran would say so.
func TestCalledOffIsNotDone(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	rec := &recorder{}
	if _, err := job.Observe(stopped{stop}, rec).Run(ctx, &kbuild.Action{Kind: "prove", Name: "f"}); err == nil {
		t.Error("no error")
	}
	if len(rec.events) > 0 {
		t.Errorf("told of %+v", rec.events)
	}
}
