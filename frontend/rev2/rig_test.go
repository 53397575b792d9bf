package rev2_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	sdk "github.com/bazelbuild/remote-apis-sdks/go/pkg/client"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/frontend/grpctest"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// rig is a server in this process and a connection to it.
type rig struct {
	t     *testing.T
	store *memstore.Store
	cache *memstore.ActionCache
	queue *queue.Queue
	conn  *grpc.ClientConn
	caps  repb.CapabilitiesClient
	cas   repb.ContentAddressableStorageClient
	bytes bspb.ByteStreamClient
	ac    repb.ActionCacheClient
	exec  repb.ExecutionClient
	ops   longrunning.OperationsClient
}

// start starts a server; options change its configuration.
func start(t *testing.T, options ...func(*rev2.Config)) *rig {
	t.Helper()
	r := &rig{t: t, store: memstore.New(), cache: memstore.NewActionCache(),
		queue: queue.New(queue.Config{Properties: []string{"kvfarm-root", "color"}})}
	cfg := rev2.Config{Store: r.store, Cache: r.cache, Queue: r.queue, Log: slog.New(slog.DiscardHandler)}
	for _, o := range options {
		o(&cfg)
	}
	server := grpc.NewServer(rev2.Options()...)
	rev2.New(cfg).Register(server)
	t.Cleanup(r.queue.Close)
	conn := grpctest.Connect(t, server, grpctest.Buffer,
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20), grpc.MaxCallRecvMsgSize(64<<20)))
	r.conn = conn
	r.caps = repb.NewCapabilitiesClient(conn)
	r.cas = repb.NewContentAddressableStorageClient(conn)
	r.bytes = bspb.NewByteStreamClient(conn)
	r.ac = repb.NewActionCacheClient(conn)
	r.exec = repb.NewExecutionClient(conn)
	r.ops = longrunning.NewOperationsClient(conn)
	return r
}

// sdk is the client that most tools use.
func (r *rig) sdk() *sdk.Client {
	r.t.Helper()
	c, err := sdk.NewClientFromConnection(r.t.Context(), "", r.conn, r.conn)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// put stores b behind the server's back.
func (r *rig) put(b []byte) digest.Digest {
	r.t.Helper()
	d, err := cas.PutBlob(r.t.Context(), r.store, b)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) putProto(m proto.Message) digest.Digest {
	r.t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.put(b)
}

// work runs a worker that answers every task with what f says.
func (r *rig) work(f func(*queue.Lease) *queue.Outcome) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			l, err := r.queue.Lease(ctx, queue.Worker{Name: "w", Properties: []queue.Property{{Name: "color", Value: queue.Any}}})
			if err != nil {
				return
			}
			_ = r.queue.Complete(ctx, l.ID, f(l))
		}
	}()
	r.t.Cleanup(func() { cancel(); <-done })
}

// exits is the outcome of a command that ran.
func exits(code int32) *queue.Outcome {
	return &queue.Outcome{Result: &repb.ActionResult{ExitCode: code, ExecutionMetadata: &repb.ExecutedActionMetadata{Worker: "w"}}}
}

// action stores an action made by what, which no other action equals.
func (r *rig) action(what string, change ...func(*repb.Action)) digest.Digest {
	r.t.Helper()
	command := r.putProto(&repb.Command{Arguments: []string{"run", what}})
	a := &repb.Action{CommandDigest: command.Proto(), InputRootDigest: r.putProto(&repb.Directory{}).Proto()}
	for _, f := range change {
		f(a)
	}
	return r.putProto(a)
}

func wantCode(t *testing.T, what string, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("%s: code %v (%v), want %v", what, got, err, want)
	}
}

// broken is a store that takes nothing.
type broken struct {
	cas.Store
	err error
}

func (b broken) Put(context.Context, digest.Digest, io.Reader) error { return b.err }
