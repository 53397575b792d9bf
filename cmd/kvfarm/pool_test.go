package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

func pool(value string) change {
	return func(a *repb.Action, _ *repb.Command) {
		a.Platform.Properties = append(a.Platform.Properties, &repb.Platform_Property{Name: "pool", Value: value})
	}
}

// An action that names a pool runs there alone; one that names a property that
// the farm does not know is refused.
func TestPools(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	addr := socket(t)
	spawn(t, "serve", "--listen", addr, "--state", t.TempDir(), "--property", "pool")
	for _, name := range []string{"large", "small"} {
		spawn(t, "worker", "--farm", addr, "--slots", "1", "--name", name, "--offer", "pool="+name, "--state", t.TempDir())
	}
	c := connect(t, addr)
	for _, want := range []string{"small", "large", "small"} {
		resp := c.run(c.act([]string{"nothing"}, doNotCache, pool(want)))
		if got := resp.GetResult().GetExecutionMetadata().GetWorker(); got != want {
			t.Errorf("pool %s: worker %q, %v", want, got, resp)
		}
	}
	_, err := c.execute(c.act([]string{"nothing"}, func(a *repb.Action, _ *repb.Command) {
		a.Platform.Properties[0].Name = "moon"
	}))
	wantCode(t, "unknown property", err, codes.InvalidArgument)
}

// An action that brings no root along runs in the one that its container-image
// names, or in the worker's default.
func TestImages(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	addr := socket(t)
	spawn(t, "serve", "--listen", addr, "--state", t.TempDir(), "--property", "container-image")
	c := connect(t, addr)
	c.root(nil) // the actor
	program, err := sandboxtest.Build()
	if err != nil {
		t.Fatal(err)
	}
	actor := tree.Entry{Digest: digest.Of(program), Exec: true}
	roots := map[string]string{}
	for _, name := range []string{"plain", "other"} {
		m, err := tree.Build(tree.Files{"bin/actor": actor, name: {Digest: c.put([]byte(name))}})
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range m.Dirs {
			c.put(dir)
		}
		roots[name] = m.Root.String()
	}
	spawn(t, "worker", "--farm", addr, "--slots", "1", "--state", t.TempDir(), "--root", roots["plain"], "--image", "docker://other="+roots["other"])
	for image, want := range map[string]string{"": "plain", "docker://other": "other"} {
		got := c.stdout(c.run(c.act([]string{"cat", "/" + want}, func(a *repb.Action, _ *repb.Command) {
			a.InputRootDigest, a.Platform = digest.Empty.Proto(), nil
			if image != "" {
				a.Platform = &repb.Platform{Properties: []*repb.Platform_Property{{Name: "container-image", Value: image}}}
			}
		})))
		if got != want {
			t.Errorf("image %q: %q", image, got)
		}
	}
}

// began submits an action of an invocation, and returns how to learn when it began.
func (c *client) began(name, invocation string, priority int32) func() time.Time {
	c.t.Helper()
	md, err := proto.Marshal(&repb.RequestMetadata{ToolInvocationId: invocation})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(c.t.Context(), "build.bazel.remote.execution.v2.requestmetadata-bin", string(md))
	stream, err := c.exec.Execute(ctx, &repb.ExecuteRequest{ActionDigest: c.act([]string{"echo", name}).Proto(), ExecutionPolicy: &repb.ExecutionPolicy{Priority: priority}})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil { // it is in the queue
		c.t.Fatal(err)
	}
	return func() time.Time {
		_, resp, err := c.follow(stream)
		if err != nil {
			c.t.Fatal(err)
		}
		return resp.GetResult().GetExecutionMetadata().GetExecutionStartTimestamp().AsTime()
	}
}

// What waits is run by priority, the least number first; among equals whoever
// asks for one action does not wait for somebody's many.
func TestPrioritiesAndTurns(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	addr := socket(t)
	spawn(t, "serve", "--listen", addr, "--state", t.TempDir())
	c := connect(t, addr)
	last := c.began("last", "many", 10)
	var many []func() time.Time
	for i := range 4 {
		many = append(many, c.began(fmt.Sprint("many", i), "many", 0))
	}
	one := c.began("one", "one", 0)
	first := c.began("first", "many", -5)
	startWorker(t, addr)
	begun := map[string]time.Time{"first": first(), "one": one(), "last": last()}
	for i, m := range many {
		begun[fmt.Sprint("many", i)] = m()
	}
	order := slices.SortedFunc(maps.Keys(begun), func(a, b string) int { return begun[a].Compare(begun[b]) })
	if at := slices.Index(order, "one"); order[0] != "first" || order[len(order)-1] != "last" || at > 2 {
		t.Errorf("run in the order %q", order)
	}
}

// Cancelling an operation ends its command: the only slot is free for the next
// action soon.
func TestCancelReachesTheSandbox(t *testing.T) {
	t.Parallel()
	c := connect(t, spawnFarm(t, "--slots", "1").addr)
	stream := c.start(c.act([]string{"sleep", "1h"}))
	op, _ := c.running(stream)
	next := c.start(c.act([]string{"echo", "next"}))
	began := time.Now()
	if _, err := c.ops.CancelOperation(t.Context(), &longrunning.CancelOperationRequest{Name: op}); err != nil {
		t.Fatal(err)
	}
	if _, resp, err := c.follow(stream); err != nil || codes.Code(resp.Status.GetCode()) != codes.Canceled {
		t.Errorf("cancelled: %v, %v", resp, err)
	}
	if _, resp, err := c.follow(next); err != nil || c.stdout(resp) != "next\n" {
		t.Errorf("next: %v, %v", resp, err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the slot was free after %v", took)
	}
}

// Logs of server and worker name the tool and its invocation.
func TestLogsNameTheInvocation(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	addr := socket(t)
	server := spawn(t, "serve", "--listen", addr, "--state", t.TempDir())
	w := startWorker(t, addr)
	c := connect(t, addr)
	md, err := proto.Marshal(&repb.RequestMetadata{ToolDetails: &repb.ToolDetails{ToolName: "siso"}, ToolInvocationId: "run-4711"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "build.bazel.remote.execution.v2.requestmetadata-bin", string(md))
	stream, err := c.exec.Execute(ctx, &repb.ExecuteRequest{ActionDigest: c.act([]string{"fifo", "out"}, func(_ *repb.Action, cmd *repb.Command) {
		cmd.OutputPaths = []string{"out"} // what has no result is worth a line of the worker's
	}).Proto()})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.follow(stream); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*process{"server": server, "worker": w} {
		if log := p.log.String(); !strings.Contains(log, "siso") || !strings.Contains(log, "run-4711") {
			t.Errorf("%s says: %s", name, log)
		}
	}
}
