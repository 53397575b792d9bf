package main

import (
	"strings"
	"testing"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc/codes"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// What an action writes can be read while it runs on a worker elsewhere, and
// the stream ends when the operation does.
func TestLogsWhileRunning(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	addr := socket(t)
	spawn(t, "serve", "--listen", addr, "--state", t.TempDir())
	startWorker(t, addr)
	c := connect(t, addr)
	op, out := c.streams(c.act([]string{"sequence", "echo", "begin", ",", "sleep", "1h"}))
	log, err := c.bytes.Read(t.Context(), &bspb.ReadRequest{ResourceName: out})
	if err != nil {
		t.Fatal(err)
	}
	if part, err := log.Recv(); err != nil || string(part.Data) != "begin\n" { // though it does not end
		t.Errorf("first part: %q, %v", part.GetData(), err)
	}
	if _, err := c.ops.CancelOperation(t.Context(), &longrunning.CancelOperationRequest{Name: op}); err != nil {
		t.Fatal(err)
	}
	if part, err := log.Recv(); err == nil {
		t.Errorf("after the end: %q", part.Data)
	}

	op, out = c.streams(c.act([]string{"sequence", "echo", "begin", ",", "sleep", "1s", ",", "echo", "end"}))
	if all, err := c.read(&bspb.ReadRequest{ResourceName: out}); err != nil || string(all) != "begin\nend\n" {
		t.Errorf("all of it: %q, %v", all, err)
	}
	if rest, err := c.read(&bspb.ReadRequest{ResourceName: out, ReadOffset: 6}); err != nil || string(rest) != "end\n" {
		t.Errorf("after its end, from 6: %q, %v", rest, err)
	}
	_, err = c.read(&bspb.ReadRequest{ResourceName: strings.Replace(out, op, "none", 1)})
	wantCode(t, "log of nothing", err, codes.NotFound)
	_, err = c.read(&bspb.ReadRequest{ResourceName: "other/" + out})
	wantCode(t, "log at another instance", err, codes.NotFound)
}

// streams starts an action, and returns the names of the operation and of where
// its stdout can be read.
func (c *client) streams(d digest.Digest) (operation, stdout string) {
	c.t.Helper()
	stream, err := c.submit(d, func(r *repb.ExecuteRequest) { r.InstanceName = "some/instance" })
	if err != nil {
		c.t.Fatal(err)
	}
	op, err := stream.Recv()
	if err != nil {
		c.t.Fatal(err)
	}
	meta := &repb.ExecuteOperationMetadata{}
	if err := op.Metadata.UnmarshalTo(meta); err != nil || meta.StdoutStreamName == "" || meta.StderrStreamName == "" {
		c.t.Fatalf("metadata %v, %v", meta, err)
	}
	return op.Name, meta.StdoutStreamName
}
