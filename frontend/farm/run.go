package farm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/kbuild"
)

// Run implements kbuild.Runner. The action cache is asked first; inputs are
// sent only if the action must run. Errors are the farm's and were tried
// again, except ErrTimeout.
func (c *Client) Run(ctx context.Context, a *kbuild.Action) (*kbuild.Result, error) {
	e := Event{Kind: a.Kind, Name: a.Name, Stage: Done}
	ctx, span := tracer.Start(ctx, a.Kind, trace.WithAttributes(attribute.String("kvfarm.name", a.Name)))
	defer span.End()
	r, d, err := c.run(about(ctx, a), a)
	if e.Action = d; err != nil {
		e.Err = fmt.Errorf("run %s %s: %w", a.Kind, a.Name, readable{err})
	} else {
		e.Worker, e.Cached, e.ExitCode, e.Wall = r.Worker, r.Cached, r.ExitCode, r.Wall
	}
	describe(span, e)
	c.cfg.Progress(e)
	return r, e.Err
}

func (c *Client) run(ctx context.Context, a *kbuild.Action) (*kbuild.Result, digest.Digest, error) {
	j, err := newJob(a, c.cfg.DefaultExecProperties)
	if err != nil {
		return nil, digest.Digest{}, err
	}
	if !c.fresh(a.Kind) {
		c.tell(j, Checking, "")
		result, err := c.store.Result(ctx, j.digest)
		if err == nil {
			r, err := c.result(ctx, j, result, true)
			return r, j.digest, err
		}
		if !errors.Is(err, cas.ErrNotFound) {
			return nil, j.digest, err
		}
	}
	j.list()
	if c.cfg.LinkTargets {
		j.targets()
	}
	resp, err := c.execute(ctx, j)
	if err != nil {
		return nil, j.digest, err
	}
	r, err := c.result(ctx, j, resp.Result, resp.CachedResult)
	return r, j.digest, err
}

func (c *Client) tell(j *job, s Stage, worker string) {
	c.cfg.Progress(Event{Kind: j.Kind, Name: j.Name, Action: j.digest, Stage: s, Worker: worker})
	if stage, ok := staged[s]; ok && j.Staged != nil {
		j.Staged(stage)
	}
}

// staged is what kbuild knows of the stages.
var staged = map[Stage]kbuild.Stage{Queued: kbuild.Queued, Fetching: kbuild.Fetching, Running: kbuild.Running}

// execute has j run. When the farm lost inputs meanwhile they are sent again.
func (c *Client) execute(ctx context.Context, j *job) (*repb.ExecuteResponse, error) {
	for attempt := 0; ; attempt++ {
		if err := c.upload(ctx, j); err != nil {
			return nil, err
		}
		resp, err := c.executeOnce(ctx, j)
		lost := missing(err)
		if len(lost) == 0 || attempt >= c.cfg.Retries {
			return resp, err
		}
		c.cfg.Log.Warn("farm lost inputs of an action, sending them again", "action", j.digest, "blobs", len(lost))
		if err := c.restore(ctx, j, lost); err != nil {
			return nil, err
		}
	}
}

// fresh reports whether actions of a kind are run though their results be known.
func (c *Client) fresh(kind string) bool { return c.cfg.NoCache != nil && c.cfg.NoCache(kind) }

// executeOnce follows one execution, over broken streams, to its end.
func (c *Client) executeOnce(ctx context.Context, j *job) (*repb.ExecuteResponse, error) {
	op, err := c.exec.ExecuteAndWaitProgress(ctx, &repb.ExecuteRequest{
		InstanceName:    c.cfg.Instance,
		ActionDigest:    j.digest.Proto(),
		SkipCacheLookup: c.fresh(j.Action.Kind),
		ExecutionPolicy: policy(j.Action),
		InlineStdout:    true,
		InlineStderr:    true,
	}, c.follower(j))
	if err != nil {
		return nil, err
	}
	resp := &repb.ExecuteResponse{}
	if !op.Done {
		return nil, fmt.Errorf("farm ended the stream of %s before it was done", op.Name)
	}
	if err := op.GetError(); err != nil { // farms should not, but some do
		return nil, status.FromProto(err).Err()
	}
	if err := op.GetResponse().UnmarshalTo(resp); err != nil {
		return nil, fmt.Errorf("decode response of %s: %w", op.Name, err)
	}
	switch st := status.FromProto(resp.Status); {
	case st.Code() == codes.DeadlineExceeded:
		return nil, fmt.Errorf("%w: %s", ErrTimeout, st.Message())
	case st.Code() != codes.OK:
		return nil, st.Err()
	case resp.Result == nil:
		return nil, fmt.Errorf("farm ended %s without a result", op.Name)
	}
	return resp, nil
}

// follower turns operation metadata into events, one for each change.
func (c *Client) follower(j *job) func(*repb.ExecuteOperationMetadata) {
	last := Uploading
	return func(m *repb.ExecuteOperationMetadata) {
		if s, ok := stageOf(m); ok && s != last {
			last = s
			c.tell(j, s, m.GetPartialExecutionMetadata().GetWorker())
		}
	}
}

// policy says what goes first. No policy at all is what servers without
// priorities expect.
func policy(a *kbuild.Action) *repb.ExecutionPolicy {
	if a.Priority == 0 {
		return nil
	}
	return &repb.ExecutionPolicy{Priority: a.Priority}
}

func stageOf(m *repb.ExecuteOperationMetadata) (Stage, bool) {
	partial := m.GetPartialExecutionMetadata()
	switch m.Stage {
	case repb.ExecutionStage_QUEUED, repb.ExecutionStage_CACHE_CHECK:
		return Queued, true
	case repb.ExecutionStage_EXECUTING:
		// Without partial metadata running is the better guess.
		if partial.GetInputFetchStartTimestamp() != nil && partial.GetExecutionStartTimestamp() == nil {
			return Fetching, true
		}
		return Running, true
	}
	return 0, false
}

// missing returns the blobs that err says the farm lacks.
func missing(err error) []digest.Digest {
	st, ok := status.FromError(err)
	if err == nil || !ok || st.Code() != codes.FailedPrecondition {
		return nil
	}
	var ds []digest.Digest
	for _, detail := range st.Details() {
		failure, _ := detail.(*errdetails.PreconditionFailure)
		for _, v := range failure.GetViolations() {
			name, ok := strings.CutPrefix(v.Subject, "blobs/")
			if d, err := digest.Parse(name); ok && v.Type == "MISSING" && err == nil {
				ds = append(ds, d)
			}
		}
	}
	return ds
}

// elapsed is how long the command ran.
func elapsed(m *repb.ExecutedActionMetadata) time.Duration {
	if d := m.GetVirtualExecutionDuration(); d != nil { // without the sandbox's set-up
		return d.AsDuration()
	}
	if m.GetExecutionStartTimestamp() == nil || m.GetExecutionCompletedTimestamp() == nil {
		return 0
	}
	return m.ExecutionCompletedTimestamp.AsTime().Sub(m.ExecutionStartTimestamp.AsTime())
}
