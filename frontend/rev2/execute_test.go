package rev2_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// execution is what a client saw of an operation.
type execution struct {
	name   string
	stages []repb.ExecutionStage_Value
	resp   *repb.ExecuteResponse
}

type receiver interface {
	Recv() (*longrunning.Operation, error)
}

// follow reads a stream to its end and checks what holds for every operation.
func follow(t *testing.T, stream receiver, action digest.Digest) (*execution, error) {
	t.Helper()
	e := &execution{}
	for {
		op, err := stream.Recv()
		if err == io.EOF {
			if e.resp == nil {
				t.Error("stream ends with OK before the operation is done")
			}
			return e, nil
		}
		if err != nil {
			return e, err
		}
		e.add(t, op, action)
	}
}

func (e *execution) add(t *testing.T, op *longrunning.Operation, action digest.Digest) {
	t.Helper()
	meta := &repb.ExecuteOperationMetadata{}
	if err := op.Metadata.UnmarshalTo(meta); err != nil {
		t.Fatalf("metadata: %v", err)
	}
	if meta.ActionDigest.GetHash() != action.Hash {
		t.Errorf("metadata is of action %v", meta.ActionDigest)
	}
	if (meta.Stage == repb.ExecutionStage_COMPLETED) != op.Done {
		t.Errorf("stage %v with done %t", meta.Stage, op.Done)
	}
	if e.name != "" && e.name != op.Name || op.Name == "" {
		t.Errorf("operation %q is now called %q", e.name, op.Name)
	}
	if op.GetError() != nil {
		t.Errorf("operation has an error: %v", op.GetError())
	}
	e.name, e.stages = op.Name, append(e.stages, meta.Stage)
	if op.Done {
		e.resp = &repb.ExecuteResponse{}
		if err := op.GetResponse().UnmarshalTo(e.resp); err != nil {
			t.Fatalf("response: %v", err)
		}
	}
}

// run executes an action to its end.
func (r *rig) run(req *repb.ExecuteRequest) (*execution, error) {
	r.t.Helper()
	stream, err := r.exec.Execute(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return follow(r.t, stream, digest.Digest{Hash: req.ActionDigest.GetHash(), Size: req.ActionDigest.GetSizeBytes()})
}

func TestExecute(t *testing.T) {
	for name, test := range map[string]struct {
		outcome *queue.Outcome
		code    codes.Code
		exit    int32
	}{
		"success":   {exits(0), codes.OK, 0},
		"exit code": {exits(7), codes.OK, 7},
		"timeout":   {fails(queue.Timeout, exits(0).Result), codes.DeadlineExceeded, 0},
		"missing":   {fails(queue.Missing, nil), codes.FailedPrecondition, 0},
		"invalid":   {fails(queue.Invalid, nil), codes.InvalidArgument, 0},
		"fault":     {fails(queue.Fault, nil), codes.Internal, 0}, // on all workers
		"cancelled": {fails(queue.Cancelled, nil), codes.Canceled, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			r.work(func(*queue.Lease) *queue.Outcome { return test.outcome })
			e, err := r.run(&repb.ExecuteRequest{ActionDigest: r.action(name).Proto()})
			if err != nil {
				t.Fatal(err)
			}
			if got := codes.Code(e.resp.GetStatus().GetCode()); got != test.code {
				t.Errorf("status %v, want %v", e.resp.Status, test.code)
			}
			if e.resp.CachedResult || e.resp.GetResult().GetExitCode() != test.exit {
				t.Errorf("response %v", e.resp)
			}
			if (test.outcome.Result != nil) != (e.resp.Result != nil) {
				t.Errorf("result %v of outcome %v", e.resp.Result, test.outcome)
			}
		})
	}
}

func fails(k queue.Kind, partial *repb.ActionResult) *queue.Outcome {
	f := &queue.Failure{Kind: k, Reason: "told to"}
	if k == queue.Missing {
		f.Missing = []digest.Digest{digest.Of([]byte("lost"))}
	}
	return &queue.Outcome{Result: partial, Failure: f}
}

func TestExecuteOfACachedAction(t *testing.T) {
	r := start(t)
	var ran atomic.Int32
	r.work(func(*queue.Lease) *queue.Outcome { ran.Add(1); return exits(int32(ran.Load())) })
	d := r.action("cached")
	if err := r.cache.SetResult(t.Context(), d, &repb.ActionResult{ExitCode: 0, StdoutDigest: r.put([]byte("out")).Proto()}); err != nil {
		t.Fatal(err)
	}
	e, err := r.run(&repb.ExecuteRequest{ActionDigest: d.Proto(), InlineStdout: true})
	if err != nil || !e.resp.CachedResult || ran.Load() != 0 {
		t.Fatalf("cached action: %v, %v, %d runs", e.resp, err, ran.Load())
	}
	if string(e.resp.Result.StdoutRaw) != "out" {
		t.Errorf("stdout %q is not inlined", e.resp.Result.StdoutRaw)
	}
	e, err = r.run(&repb.ExecuteRequest{ActionDigest: d.Proto(), SkipCacheLookup: true})
	if err != nil || e.resp.CachedResult || e.resp.Result.ExitCode != 1 {
		t.Errorf("skip_cache_lookup: %v, %v", e.resp, err)
	}
}

// violations returns what err says is missing.
func violations(t *testing.T, err error) map[string]bool {
	t.Helper()
	wantCode(t, "missing blobs", err, codes.FailedPrecondition)
	subjects := map[string]bool{}
	for _, detail := range status.Convert(err).Details() {
		for _, v := range detail.(*errdetails.PreconditionFailure).Violations {
			if v.Type != "MISSING" {
				t.Errorf("violation %v", v)
			}
			subjects[v.Subject] = true
		}
	}
	return subjects
}

func TestExecuteNamesAllThatIsMissing(t *testing.T) {
	r := start(t)
	lost := func(s string) digest.Digest { return digest.Of([]byte(s)) }
	_, err := r.run(&repb.ExecuteRequest{ActionDigest: lost("action").Proto()})
	if diff := cmp.Diff(map[string]bool{"blobs/" + lost("action").String(): true}, violations(t, err)); diff != "" {
		t.Errorf("no action (-want +got):\n%s", diff)
	}
	root, err := tree.Upload(t.Context(), r.store, tree.Files{
		"have":   {Digest: r.put([]byte("have"))},
		"a/lost": {Digest: lost("file")},
		"b":      {Kind: tree.Dir, Digest: lost("dir")},
	})
	if err != nil {
		t.Fatal(err)
	}
	action := r.putProto(&repb.Action{CommandDigest: lost("command").Proto(), InputRootDigest: root.Proto()})
	_, err = r.run(&repb.ExecuteRequest{ActionDigest: action.Proto()})
	want := map[string]bool{}
	for _, s := range []string{"command", "file", "dir"} {
		want["blobs/"+lost(s).String()] = true
	}
	if diff := cmp.Diff(want, violations(t, err)); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

// An input root that was complete once is not walked again, but what a worker
// misses is looked for afresh.
func TestInputsThatVanish(t *testing.T) {
	r := start(t)
	file := r.put([]byte("file"))
	root, err := tree.Upload(t.Context(), r.store, tree.Files{"f": {Digest: file}})
	if err != nil {
		t.Fatal(err)
	}
	outcome := exits(0)
	r.work(func(*queue.Lease) *queue.Outcome { return outcome })
	d := r.action("vanish", func(a *repb.Action) { a.InputRootDigest = root.Proto(); a.DoNotCache = true })
	req := &repb.ExecuteRequest{ActionDigest: d.Proto()}
	if _, err := r.run(req); err != nil {
		t.Fatal(err)
	}
	r.store.Delete(file)
	outcome = &queue.Outcome{Failure: &queue.Failure{Kind: queue.Missing, Missing: []digest.Digest{file}}}
	if e, err := r.run(req); err != nil || codes.Code(e.resp.Status.Code) != codes.FailedPrecondition {
		t.Fatalf("worker misses a file: %v, %v", e.resp, err)
	}
	_, err = r.run(req)
	if !violations(t, err)["blobs/"+file.String()] {
		t.Errorf("after that: %v", err)
	}
}

func TestExecuteRefuses(t *testing.T) {
	r := start(t, func(c *rev2.Config) { c.MaxTimeout = time.Hour })
	for what, change := range map[string]func(*repb.Action){
		"timeout above the maximum": func(a *repb.Action) { a.Timeout = durationpb.New(time.Hour + 1) },
		"negative timeout":          func(a *repb.Action) { a.Timeout = durationpb.New(-1) },
		"unknown platform property": func(a *repb.Action) {
			a.Platform = &repb.Platform{Properties: []*repb.Platform_Property{{Name: "moon", Value: "full"}}}
		},
		"unknown node property": func(a *repb.Action) {
			a.CommandDigest = r.putProto(&repb.Command{Arguments: []string{"x"}, OutputNodeProperties: []string{"mtime"}}).Proto()
		},
		"command digest of upper case": func(a *repb.Action) { a.CommandDigest = &repb.Digest{Hash: "ABC", SizeBytes: 1} },
		"no input root":                func(a *repb.Action) { a.InputRootDigest = nil },
		"input root is no directory":   func(a *repb.Action) { a.InputRootDigest = r.put([]byte{7, 7, 7}).Proto() },
	} {
		_, err := r.run(&repb.ExecuteRequest{ActionDigest: r.action(what, change).Proto()})
		wantCode(t, what, err, codes.InvalidArgument)
	}
	_, err := r.run(&repb.ExecuteRequest{ActionDigest: &repb.Digest{Hash: "x"}})
	wantCode(t, "bad action digest", err, codes.InvalidArgument)
	_, err = r.run(&repb.ExecuteRequest{ActionDigest: r.put([]byte("no action")).Proto()})
	wantCode(t, "action that is none", err, codes.InvalidArgument)
}

// The action's platform comes before the command's, which is for old clients.
func TestPlatform(t *testing.T) {
	r := start(t)
	var got []queue.Property
	r.work(func(l *queue.Lease) *queue.Outcome { got = l.Task.Platform; return exits(0) })
	color := func(c string) *repb.Platform {
		return &repb.Platform{Properties: []*repb.Platform_Property{{Name: "color", Value: c}}}
	}
	//lint:ignore SA1019 clients before v2.2 set it here alone
	command := r.putProto(&repb.Command{Arguments: []string{"x"}, Platform: color("old")})
	for want, platform := range map[string]*repb.Platform{"old": nil, "new": color("new")} {
		_, err := r.run(&repb.ExecuteRequest{ActionDigest: r.action(want, func(a *repb.Action) {
			a.CommandDigest, a.Platform = command.Proto(), platform
		}).Proto()})
		if diff := cmp.Diff([]queue.Property{{Name: "color", Value: want}}, got); err != nil || diff != "" {
			t.Errorf("%v, platform (-want +got):\n%s", err, diff)
		}
	}
}

// Identical actions in flight run once, unless they are not to be cached.
func TestMerging(t *testing.T) {
	for _, test := range []struct {
		doNotCache bool
		want       int32
	}{{false, 1}, {true, 4}} {
		r := start(t)
		d := r.action("merge", func(a *repb.Action) { a.DoNotCache = test.doNotCache })
		var streams []repb.Execution_ExecuteClient
		for range 4 {
			s, err := r.exec.Execute(t.Context(), &repb.ExecuteRequest{ActionDigest: d.Proto()})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Recv(); err != nil { // it is queued
				t.Fatal(err)
			}
			streams = append(streams, s)
		}
		var ran atomic.Int32
		r.work(func(*queue.Lease) *queue.Outcome { ran.Add(1); return exits(0) })
		for _, s := range streams {
			if _, err := follow(t, s, d); err != nil {
				t.Error(err)
			}
		}
		if ran.Load() != test.want {
			t.Errorf("do_not_cache %t: ran %d times, want %d", test.doNotCache, ran.Load(), test.want)
		}
	}
}

func TestWaitExecution(t *testing.T) {
	r := start(t)
	d := r.action("wait")
	ctx, cancel := context.WithCancel(t.Context())
	first, err := r.exec.Execute(ctx, &repb.ExecuteRequest{ActionDigest: d.Proto()})
	if err != nil {
		t.Fatal(err)
	}
	op, err := first.Recv()
	if err != nil {
		t.Fatal(err)
	}
	cancel() // the connection breaks
	second, err := r.exec.WaitExecution(t.Context(), &repb.WaitExecutionRequest{Name: op.Name})
	if err != nil {
		t.Fatal(err)
	}
	now, err := second.Recv() // comes at once, though nothing happens
	if err != nil || now.Name != op.Name {
		t.Fatalf("state %v, %v", now, err)
	}
	r.work(func(*queue.Lease) *queue.Outcome { return exits(3) })
	e, err := follow(t, second, d)
	if err != nil || e.resp.Result.ExitCode != 3 {
		t.Errorf("waited for %v, %v", e.resp, err)
	}
	done, err := r.exec.WaitExecution(t.Context(), &repb.WaitExecutionRequest{Name: op.Name})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := follow(t, done, d); err != nil || e.resp.Result.ExitCode != 3 {
		t.Errorf("after its end: %v, %v", e.resp, err)
	}
	none, err := r.exec.WaitExecution(t.Context(), &repb.WaitExecutionRequest{Name: "none"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = none.Recv()
	wantCode(t, "unknown operation", err, codes.NotFound)
}

func TestShutdown(t *testing.T) {
	r := start(t)
	stream, err := r.exec.Execute(t.Context(), &repb.ExecuteRequest{ActionDigest: r.action("late").Proto()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	r.queue.Close()
	_, err = stream.Recv()
	wantCode(t, "on shutdown", err, codes.Unavailable)
}

// Partial metadata tells fetching from running.
func TestProgress(t *testing.T) {
	r := start(t)
	d := r.action("progress")
	stream, err := r.exec.Execute(t.Context(), &repb.ExecuteRequest{ActionDigest: d.Proto()})
	if err != nil {
		t.Fatal(err)
	}
	next := func() *repb.ExecutedActionMetadata {
		t.Helper()
		op, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		meta := &repb.ExecuteOperationMetadata{}
		if err := op.Metadata.UnmarshalTo(meta); err != nil {
			t.Fatal(err)
		}
		return meta.PartialExecutionMetadata
	}
	if m := next(); m.QueuedTimestamp == nil || m.InputFetchStartTimestamp != nil {
		t.Errorf("queued: %v", m)
	}
	l, err := r.queue.Lease(t.Context(), queue.Worker{Name: "w"})
	if err != nil {
		t.Fatal(err)
	}
	if m := next(); m.Worker != "w" || m.InputFetchStartTimestamp == nil || m.ExecutionStartTimestamp != nil {
		t.Errorf("fetching: %v", m)
	}
	if err := r.queue.Heartbeat(t.Context(), l.ID, queue.Running); err != nil {
		t.Fatal(err)
	}
	if m := next(); m.InputFetchCompletedTimestamp == nil || m.ExecutionStartTimestamp == nil {
		t.Errorf("running: %v", m)
	}
}
