package rev2_test

import (
	"strings"
	"testing"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/executor/queue"
)

func TestGetAndCancelOperation(t *testing.T) {
	r := start(t)
	d := r.action("cancel")
	stream, err := r.exec.Execute(t.Context(), &repb.ExecuteRequest{ActionDigest: d.Proto()})
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	now, err := r.ops.GetOperation(t.Context(), &longrunning.GetOperationRequest{Name: first.Name})
	if err != nil || !proto.Equal(now, first) {
		t.Errorf("get: %v, %v; want %v", now, err, first)
	}
	if _, err := r.ops.CancelOperation(t.Context(), &longrunning.CancelOperationRequest{Name: first.Name}); err != nil {
		t.Fatal(err)
	}
	e, err := follow(t, stream, d)
	if err != nil || codes.Code(e.resp.GetStatus().GetCode()) != codes.Canceled {
		t.Errorf("cancelled: %v, %v", e.resp, err)
	}
	if now, err = r.ops.GetOperation(t.Context(), &longrunning.GetOperationRequest{Name: first.Name}); err != nil || !now.Done {
		t.Errorf("get after its end: %v, %v", now, err)
	}
	_, err = r.ops.GetOperation(t.Context(), &longrunning.GetOperationRequest{Name: "none"})
	wantCode(t, "get of nothing", err, codes.NotFound)
	_, err = r.ops.CancelOperation(t.Context(), &longrunning.CancelOperationRequest{Name: "none"})
	wantCode(t, "cancel of nothing", err, codes.NotFound)
}

// Who asked reaches the queue, of a length that does no harm.
func TestOrigin(t *testing.T) {
	r := start(t)
	var got queue.Origin
	r.work(func(l *queue.Lease) *queue.Outcome { got = l.Task.Origin; return exits(0) })
	long := strings.Repeat("x", 1000)
	for _, test := range []struct {
		md   *repb.RequestMetadata
		want queue.Origin
	}{
		{nil, queue.Origin{}},
		{&repb.RequestMetadata{ToolDetails: &repb.ToolDetails{ToolName: "bazel", ToolVersion: "7.7.1"}, ToolInvocationId: "i"}, queue.Origin{Tool: "bazel 7.7.1", Invocation: "i"}},
		{&repb.RequestMetadata{ToolInvocationId: long}, queue.Origin{Invocation: long[:128]}},
		{&repb.RequestMetadata{ActionMnemonic: "rustc", TargetId: "rust/kernel/lib.rs"}, queue.Origin{What: "rustc rust/kernel/lib.rs"}},
	} {
		ctx := t.Context()
		if test.md != nil {
			b, err := proto.Marshal(test.md)
			if err != nil {
				t.Fatal(err)
			}
			ctx = metadata.AppendToOutgoingContext(ctx, "build.bazel.remote.execution.v2.requestmetadata-bin", string(b))
		}
		d := r.action("origin", func(a *repb.Action) { a.DoNotCache = true })
		stream, err := r.exec.Execute(ctx, &repb.ExecuteRequest{ActionDigest: d.Proto()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := follow(t, stream, d); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("origin (-want +got):\n%s", diff)
		}
	}
}
