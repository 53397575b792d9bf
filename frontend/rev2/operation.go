package rev2

import (
	"context"
	"time"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// operation is a task's state on the wire.
func (s *Server) operation(ctx context.Context, state queue.State, partial *repb.ExecutedActionMetadata, w wishes) *longrunning.Operation {
	meta := &repb.ExecuteOperationMetadata{
		Stage:                    stages[state.Stage],
		ActionDigest:             state.Action.Proto(),
		PartialExecutionMetadata: partial,
		DigestFunction:           state.Action.Function.Proto(),
	}
	if s.cfg.Logs != nil {
		meta.StdoutStreamName, meta.StderrStreamName = logName(state, "stdout"), logName(state, "stderr")
	}
	if state.Outcome == nil {
		return operation(state.Name, meta, nil)
	}
	return operation(state.Name, meta, s.response(ctx, state, w))
}

var stages = map[queue.Stage]repb.ExecutionStage_Value{
	queue.Queued:    repb.ExecutionStage_QUEUED,
	queue.Fetching:  repb.ExecutionStage_EXECUTING,
	queue.Running:   repb.ExecutionStage_EXECUTING,
	queue.Uploading: repb.ExecutionStage_EXECUTING,
	queue.Done:      repb.ExecutionStage_COMPLETED,
}

// operation packs messages of our own making, which cannot fail.
func operation(name string, meta *repb.ExecuteOperationMetadata, resp *repb.ExecuteResponse) *longrunning.Operation {
	op := &longrunning.Operation{Name: name}
	op.Metadata, _ = anypb.New(meta)
	if resp != nil {
		op.Done = true
		packed, _ := anypb.New(resp)
		op.Result = &longrunning.Operation_Response{Response: packed}
	}
	return op
}

// response is how a task ended. Errors stand in the response's status, never
// in the operation's.
func (s *Server) response(ctx context.Context, state queue.State, w wishes) *repb.ExecuteResponse {
	o := state.Outcome
	resp := &repb.ExecuteResponse{Message: o.Message, Status: s.failure(o.Failure).Proto()}
	if o.Result != nil {
		resp.Result = s.inline(ctx, state.Action.Function, o.Result, w)
	}
	return resp
}

func (s *Server) failure(f *queue.Failure) *status.Status {
	switch {
	case f == nil:
		return status.New(codes.OK, "")
	case f.Kind == queue.Missing && len(f.Missing) > 0:
		s.complete.forget() // what it says was there is not
		return preconditions(f.Error(), f.Missing)
	}
	return status.New(failures[f.Kind], f.Error())
}

var failures = map[queue.Kind]codes.Code{
	queue.Fault:     codes.Unavailable,
	queue.Lost:      codes.Internal,
	queue.Timeout:   codes.DeadlineExceeded,
	queue.Missing:   codes.FailedPrecondition,
	queue.Invalid:   codes.InvalidArgument,
	queue.Cancelled: codes.Canceled,
}

// progress notes when a task was first seen in each stage, as the partial
// metadata from which clients tell fetching from running.
type progress struct {
	meta    *repb.ExecutedActionMetadata
	attempt int
}

func (p *progress) of(state queue.State) *repb.ExecutedActionMetadata {
	if p.meta == nil || state.Attempt != p.attempt || state.Stage == queue.Queued { // another worker starts anew
		p.meta = &repb.ExecutedActionMetadata{}
		p.attempt = state.Attempt
	}
	if state.Outcome != nil && state.Outcome.Result.GetExecutionMetadata() != nil {
		return state.Outcome.Result.ExecutionMetadata
	}
	now := timestamppb.New(time.Now())
	p.meta.Worker = state.Worker
	p.meta.QueuedTimestamp = timestamppb.New(state.Queued)
	first := func(t **timestamppb.Timestamp, from queue.Stage) {
		if *t == nil && state.Stage >= from && state.Stage < queue.Done {
			*t = now
		}
	}
	first(&p.meta.WorkerStartTimestamp, queue.Fetching)
	first(&p.meta.InputFetchStartTimestamp, queue.Fetching)
	first(&p.meta.InputFetchCompletedTimestamp, queue.Running)
	first(&p.meta.ExecutionStartTimestamp, queue.Running)
	first(&p.meta.ExecutionCompletedTimestamp, queue.Uploading)
	first(&p.meta.OutputUploadStartTimestamp, queue.Uploading)
	return p.meta
}
