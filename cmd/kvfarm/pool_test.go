package main

import (
	"strings"
	"testing"
	"time"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

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
