package rev2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/queue"
)

type operations = grpc.ServerStreamingServer[longrunning.Operation]

// Execute answers from the action cache or has the action run, and streams
// what becomes of it.
func (s *Server) Execute(req *repb.ExecuteRequest, stream repb.Execution_ExecuteServer) error {
	return s.fail(s.execute(req, stream))
}

func (s *Server) execute(req *repb.ExecuteRequest, stream operations) error {
	d, err := named(req.ActionDigest, req.DigestFunction)
	if err != nil {
		return err
	}
	ctx := stream.Context()
	if !req.SkipCacheLookup {
		result, err := s.cfg.Cache.Result(ctx, d)
		if err == nil {
			return stream.Send(s.hit(ctx, d, result, req))
		}
		if !errors.Is(err, cas.ErrNotFound) {
			return err
		}
	}
	task, err := s.task(ctx, d, req)
	if err != nil {
		return err
	}
	waiter, err := s.cfg.Queue.Submit(*task)
	if err != nil {
		return err
	}
	log := s.cfg.Log.With("operation", waiter.Name(), "action", d.String(), "instance", req.InstanceName,
		"tool", task.Origin.Tool, "invocation", task.Origin.Invocation)
	log.Info("execute")
	begin := time.Now()
	err = s.follow(stream, waiter, req)
	log.Info("execution is followed no more", "after", time.Since(begin), "error", err)
	return err
}

// hit is the operation of a cached result. It is over when it starts, so its
// name leads nowhere.
func (s *Server) hit(ctx context.Context, d digest.Digest, result *repb.ActionResult, w wishes) *longrunning.Operation {
	meta := &repb.ExecuteOperationMetadata{Stage: repb.ExecutionStage_COMPLETED, ActionDigest: d.Proto(),
		PartialExecutionMetadata: result.ExecutionMetadata, DigestFunction: d.Function.Proto()}
	return operation(uuid.NewString(), meta, &repb.ExecuteResponse{
		Result: s.inline(ctx, d.Function, result, w), CachedResult: true, Status: toStatus(nil).Proto()})
}

// task reads the action and checks that all it needs is stored.
func (s *Server) task(ctx context.Context, d digest.Digest, req *repb.ExecuteRequest) (*queue.Task, error) {
	action, command := &repb.Action{}, &repb.Command{}
	if err := s.message(ctx, d, action); err != nil {
		return nil, err
	}
	cd, err := digestOf(d.Function, action.CommandDigest)
	if err != nil {
		return nil, fmt.Errorf("command of action %v: %w", d, err)
	}
	root, err := digestOf(d.Function, action.InputRootDigest)
	if err != nil {
		return nil, fmt.Errorf("input root of action %v: %w", d, err)
	}
	missing, err := s.complete.missing(ctx, root)
	if err != nil {
		return nil, err
	}
	var absent *missingError
	if err := s.message(ctx, cd, command); errors.As(err, &absent) {
		missing = append(absent.digests, missing...)
	} else if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, &missingError{what: "action " + d.String(), digests: missing}
	}
	timeout, err := s.timeout(action)
	if err != nil {
		return nil, fmt.Errorf("action %v: %w", d, err)
	}
	if len(command.OutputNodeProperties) > 0 { // Capabilities names none
		return nil, invalid("action %v: output node properties %q are not known", d, command.OutputNodeProperties)
	}
	return &queue.Task{Instance: req.InstanceName, Action: d, DoNotCache: action.DoNotCache, Timeout: timeout,
		Platform: platform(action, command), Priority: req.GetExecutionPolicy().GetPriority(), Origin: origin(ctx)}, nil
}

// message reads blob d as m. Errors: *missingError, errInvalid.
func (s *Server) message(ctx context.Context, d digest.Digest, m proto.Message) error {
	what := string(m.ProtoReflect().Descriptor().Name())
	if d.Size > maxCommand {
		return invalid("%s %v: more than %d bytes", what, d, maxCommand)
	}
	b, err := cas.ReadBlob(ctx, s.cfg.Store, d, maxCommand)
	if errors.Is(err, cas.ErrNotFound) {
		return &missingError{what: what, digests: []digest.Digest{d}}
	}
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return invalid("%s %v: %w", what, d, err)
	}
	return nil
}

// timeout is what an action asks for. Zero is what some clients send who ask for none.
func (s *Server) timeout(a *repb.Action) (time.Duration, error) {
	t := a.Timeout.AsDuration()
	if t < 0 || t > s.cfg.MaxTimeout {
		return 0, invalid("timeout of %v: want at most %v", t, s.cfg.MaxTimeout)
	}
	if t == 0 {
		return s.cfg.Timeout, nil
	}
	return t, nil
}

// platform is what the action asks for; the Command's is for old clients.
func platform(a *repb.Action, c *repb.Command) []queue.Property {
	p := a.Platform
	if p == nil {
		//lint:ignore SA1019 clients before v2.2 set it here alone
		p = c.Platform
	}
	var ps []queue.Property
	for _, prop := range p.GetProperties() {
		ps = append(ps, queue.Property{Name: prop.Name, Value: prop.Value})
	}
	return ps
}

// WaitExecution takes up the stream of an operation again.
func (s *Server) WaitExecution(req *repb.WaitExecutionRequest, stream repb.Execution_WaitExecutionServer) error {
	waiter, err := s.cfg.Queue.Wait(req.Name)
	if err != nil {
		return s.fail(err)
	}
	return s.fail(s.follow(stream, waiter, &repb.ExecuteRequest{}))
}

// brief is how long a state lasts that is worth a message, beside the first and the
// last: of an action that is quick the rest would be most of what it costs.
const brief = 10 * time.Millisecond

// follow streams the states of a task until it is done.
func (s *Server) follow(stream operations, waiter *queue.Waiter, w wishes) error {
	defer waiter.Close()
	ctx := stream.Context()
	var progress progress
	state, err := waiter.Next(ctx)
	for err == nil {
		if err := stream.Send(s.operation(ctx, state, progress.of(state), w)); err != nil {
			return err
		}
		state, err = lasting(ctx, waiter, &progress)
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// lasting returns the next state that is not brief, or is the last.
func lasting(ctx context.Context, waiter *queue.Waiter, p *progress) (queue.State, error) {
	state, err := waiter.Next(ctx)
	for err == nil && state.Stage != queue.Done {
		p.of(state)
		soon, cancel := context.WithTimeout(ctx, brief)
		next, none := waiter.Next(soon)
		cancel()
		if none != nil && ctx.Err() == nil && soon.Err() != nil {
			break
		}
		state, err = next, none
	}
	return state, err
}
