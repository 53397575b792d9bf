package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/worker/inputs"
)

// maxMessage bounds an Action or Command in bytes.
const maxMessage = 16 << 20

// job is one action on its way through a slot.
type job struct {
	cfg     *Config
	lease   *queue.Lease
	stage   func(queue.Stage)
	leave   func() // gives its slot to the next command
	action  *repb.Action
	command *repb.Command
	times   repb.ExecutedActionMetadata
	undo    []func() // what is left to do when the outcome is known
}

// tidy gives back what the job holds. The client need not wait for it.
func (j *job) tidy() {
	for _, f := range slices.Backward(j.undo) {
		f()
	}
}

// run turns whatever happens into an outcome.
func (j *job) run(ctx context.Context) *queue.Outcome {
	j.times.Worker = j.cfg.Name
	j.times.QueuedTimestamp = timestamppb.New(j.lease.Queued)
	j.times.WorkerStartTimestamp = timestamppb.Now()
	outcome, err := j.steps(ctx)
	if err != nil {
		return &queue.Outcome{Failure: classify(err)}
	}
	return outcome
}

func (j *job) steps(ctx context.Context) (*queue.Outcome, error) {
	j.times.InputFetchStartTimestamp = timestamppb.Now()
	spec, err := phase(ctx, "fetch", func(ctx context.Context) (spec *sandbox.Spec, err error) {
		if spec, err = j.read(ctx); err == nil {
			err = j.fetch(ctx, spec)
		}
		return spec, err
	})
	if err != nil {
		return nil, err
	}
	j.times.InputFetchCompletedTimestamp = timestamppb.Now()

	j.stage(queue.Running)
	j.times.ExecutionStartTimestamp = timestamppb.Now()
	left, err := phase(ctx, "run", func(ctx context.Context) (*sandbox.Result, error) { return j.watched(ctx, spec) })
	if err != nil {
		return nil, err
	}
	j.leave()
	j.undo = append(j.undo, left.Close)
	j.times.ExecutionCompletedTimestamp = timestamppb.Now()
	return phase(ctx, "upload", func(ctx context.Context) (*queue.Outcome, error) { return j.deliver(ctx, left) })
}

// watched runs the command, and sends what it writes on its way meanwhile.
func (j *job) watched(ctx context.Context, spec *sandbox.Spec) (*sandbox.Result, error) {
	if j.cfg.Logs == nil {
		return j.cfg.Host.Run(ctx, *spec)
	}
	f := &feed{logs: j.cfg.Logs, lease: j.lease.ID}
	spec.Stdout, spec.Stderr = writer{f, 0}, writer{f, 1}
	stop := make(chan struct{})
	var feeding sync.WaitGroup
	feeding.Go(func() { f.run(ctx, stop) })
	defer feeding.Wait()
	defer close(stop)
	return j.cfg.Host.Run(ctx, *spec)
}

// deliver stores what the action left and, if it is fit to, its result.
func (j *job) deliver(ctx context.Context, left *sandbox.Result) (*queue.Outcome, error) {
	j.stage(queue.Uploading)
	j.times.OutputUploadStartTimestamp = timestamppb.Now()
	result, err := j.collect(ctx, left)
	if err != nil {
		return nil, err
	}
	j.stamp(result, left)
	outcome := &queue.Outcome{Result: result, Message: message(left)}
	if left.TimedOut {
		outcome.Failure = &queue.Failure{Kind: queue.Timeout, Reason: fmt.Sprintf("command ran longer than %v", j.timeout())}
		return outcome, nil
	}
	if result.ExitCode == 0 && !j.action.DoNotCache {
		if err := j.cfg.Results.SetResult(ctx, j.lease.Task.Action, result); err != nil {
			return nil, err
		}
	}
	return outcome, nil
}

// message says, for people, what the exit code does not.
func message(left *sandbox.Result) string {
	msg := ""
	if left.OutOfMemory {
		msg = "killed for exceeding its memory limit. "
	}
	for _, o := range []struct {
		name string
		*sandbox.Output
	}{{"stdout", &left.Stdout}, {"stderr", &left.Stderr}} {
		if kept := int64(len(o.Bytes())); kept < o.Total() {
			msg += fmt.Sprintf("%s is cut: kept %d of %d bytes. ", o.name, kept, o.Total())
		}
	}
	return msg
}

// invalidError is an action that can never run.
type invalidError struct{ error }

func invalid(format string, args ...any) error { return invalidError{fmt.Errorf(format, args...)} }

// classify tells the action's faults from the worker's.
func classify(err error) *queue.Failure {
	f := &queue.Failure{Kind: queue.Fault, Reason: err.Error()}
	var missing *inputs.MissingError
	var bad invalidError
	switch {
	case errors.As(err, &missing):
		f.Kind, f.Missing = queue.Missing, missing.Digests
	case errors.As(err, &bad), errors.Is(err, inputs.ErrBadRoot), errors.Is(err, inputs.ErrBadTree),
		errors.Is(err, tree.ErrMalformed), errors.Is(err, syscall.ENAMETOOLONG):
		f.Kind = queue.Invalid
	case errors.Is(err, cas.ErrFull): // as it is for all workers
		f.Kind = queue.Lost
	}
	return f
}

// by is the digest function of the action, and of all that it names and leaves.
func (j *job) by() digest.Function { return j.lease.Task.Action.Function }

// read gets the action and its command and says what the sandbox is to do.
func (j *job) read(ctx context.Context) (*sandbox.Spec, error) {
	j.action, j.command = &repb.Action{}, &repb.Command{}
	if err := j.message(ctx, j.lease.Task.Action, j.action); err != nil {
		return nil, fmt.Errorf("read action: %w", err)
	}
	d, err := j.by().FromProto(j.action.CommandDigest)
	if err != nil {
		return nil, invalid("read command: %w", err)
	}
	if err := j.message(ctx, d, j.command); err != nil {
		return nil, fmt.Errorf("read command: %w", err)
	}
	if len(j.command.Arguments) == 0 || j.command.Arguments[0] == "" {
		return nil, invalid("command %v has no program", d)
	}
	return j.spec()
}

func (j *job) message(ctx context.Context, d digest.Digest, m proto.Message) error {
	body, err := cas.ReadBlob(ctx, j.cfg.Store, d, maxMessage)
	if errors.Is(err, cas.ErrNotFound) {
		return &inputs.MissingError{Digests: []digest.Digest{d}}
	}
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(body, m); err != nil {
		return invalid("decode %v: %w", d, err)
	}
	return nil
}

func (j *job) spec() (*sandbox.Spec, error) {
	workDir, err := inside(j.command.WorkingDirectory)
	if err != nil {
		return nil, invalid("working directory: %w", err)
	}
	s := &sandbox.Spec{Dir: j.cfg.Inputs.Dir(), Argv: j.command.Arguments, WorkDir: workDir,
		Timeout: j.timeout(), Memory: j.cfg.Memory, Scratch: j.cfg.Scratch}
	if s.Timeout <= 0 || j.lease.Task.Timeout == 0 && s.Timeout > j.cfg.MaxTimeout {
		return nil, invalid("timeout of %v is not in (0, %v]", s.Timeout, j.cfg.MaxTimeout)
	}
	for _, e := range j.command.EnvironmentVariables {
		s.Env = append(s.Env, e.Name+"="+e.Value)
	}
	if m := j.property(PropertyMemory); m != "" {
		if s.Memory, err = strconv.ParseInt(m, 10, 64); err != nil || s.Memory <= 0 {
			return nil, invalid("platform property %s=%q is no number of bytes", PropertyMemory, m)
		}
	}
	s.Mkdirs, err = j.outputParents()
	return s, err
}

// timeout is what the lease says, for who made the task knows what is allowed;
// else what the action does.
func (j *job) timeout() time.Duration {
	switch {
	case j.lease.Task.Timeout != 0:
		return j.lease.Task.Timeout
	case j.action.Timeout != nil:
		return j.action.Timeout.AsDuration()
	default:
		return j.cfg.Timeout
	}
}

// property returns the value of a platform property, or "".
func (j *job) property(name string) string {
	for _, p := range j.platform().GetProperties() {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// fetch pins root and inputs and adds them to s.
func (j *job) fetch(ctx context.Context, s *sandbox.Spec) error {
	d, err := j.by().FromProto(j.action.InputRootDigest)
	if err != nil {
		return invalid("input root: %w", err)
	}
	rest, rootDigest, err := j.cfg.Inputs.Split(ctx, d, j.property(PropertyRoot))
	if err != nil {
		return err
	}
	if rootDigest, err = j.root(rootDigest); err != nil {
		return err
	}
	root, err := j.cfg.Inputs.Root(ctx, rootDigest, sandbox.MountPoints)
	if err != nil {
		return err
	}
	j.undo = append(j.undo, root.Release)
	in, err := j.cfg.Inputs.Inputs(ctx, rest)
	if err != nil {
		return err
	}
	j.undo = append(j.undo, in.Release)
	s.Root = j.cfg.Inputs.Dir() + "/" + root.Layers[0]
	s.Layers = in.Layers
	return nil
}
