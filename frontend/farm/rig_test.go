package farm_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/complete"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/worker"
	"github.com/kvfarm/kvfarm/frontend/farm"
	"github.com/kvfarm/kvfarm/frontend/rev2"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// rig is a farm on a socket whose worker only plays.
type rig struct {
	t      testing.TB
	addr   string
	store  *memstore.Store
	cache  *memstore.ActionCache
	queue  *queue.Queue
	server *grpc.Server
	ran    atomic.Int32
	calls  atomic.Int32 // of the server's methods
	last   atomic.Pointer[queue.Task]
}

func start(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, store: memstore.New(), cache: memstore.NewActionCache(), queue: queue.New(queue.Config{})}
	r.addr = "unix:" + filepath.Join(t.TempDir(), "farm")
	r.serve()
	t.Cleanup(func() { r.server.Stop() })
	t.Cleanup(r.queue.Close)
	go r.work()
	return r
}

// serve starts the gRPC server, anew if it was stopped.
func (r *rig) serve() {
	r.t.Helper()
	count := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
		r.calls.Add(1)
		return h(ctx, req)
	}
	r.server = grpc.NewServer(append(rev2.Options(), grpc.ChainUnaryInterceptor(count))...)
	rev2.New(rev2.Config{Store: r.store, Cache: complete.New(r.cache, r.store), Queue: r.queue,
		Log: slog.New(slog.DiscardHandler)}).Register(r.server)
	l, err := net.Listen("unix", r.addr[len("unix:"):])
	if err != nil {
		r.t.Fatal(err)
	}
	server := r.server
	go func() { _ = server.Serve(l) }()
}

func (r *rig) dial(change ...func(*farm.Config)) *farm.Client {
	r.t.Helper()
	cfg := farm.Config{Executor: r.addr, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&cfg)
	}
	c, err := farm.Dial(r.t.Context(), cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (r *rig) work() {
	for {
		l, err := r.queue.Lease(context.Background(), queue.Worker{Name: "w", Properties: []queue.Property{
			{Name: worker.PropertyRoot, Value: queue.Any}, {Name: worker.PropertyMemory, Value: queue.Any}, {Name: "color", Value: queue.Any}}})
		if err != nil {
			return
		}
		r.ran.Add(1)
		r.last.Store(&l.Task)
		_ = r.queue.Complete(context.Background(), l.ID, r.play(l))
	}
}

// play does what the action's command says:
//
//	exit N           ends with that code, stdout and stderr
//	concat FILE...   writes the inputs' contents to "out"
//	tree             puts the input root out as "dir"
//	fail KIND        ends with a failure of the farm
//	usage            just reports that it used time
func (r *rig) play(l *queue.Lease) *queue.Outcome {
	ctx := context.Background()
	action, command := &repb.Action{}, &repb.Command{}
	r.message(l.Task.Action, action)
	cd, _ := digest.FromProto(action.CommandDigest)
	r.message(cd, command)
	root, _ := digest.FromProto(action.InputRootDigest)
	result := &repb.ActionResult{ExecutionMetadata: times()}
	switch args := command.Arguments; args[0] {
	case "exit":
		code, _ := strconv.Atoi(args[1])
		result.ExitCode = int32(code)
		result.StdoutRaw = []byte("out")
		d, _ := cas.PutBlob(ctx, r.store, bytes.Repeat([]byte("e"), 3<<20))
		result.StderrDigest = d.Proto()
	case "concat":
		files, err := tree.Load(ctx, r.store, root, tree.Limits{})
		if err != nil {
			return &queue.Outcome{Failure: &queue.Failure{Kind: queue.Fault, Reason: err.Error()}}
		}
		var all []byte
		for _, name := range args[1:] {
			b, err := cas.ReadBlob(ctx, r.store, files[name].Digest, 1<<30)
			if err != nil {
				return &queue.Outcome{Failure: &queue.Failure{Kind: queue.Missing, Reason: err.Error(), Missing: []digest.Digest{files[name].Digest}}}
			}
			all = append(all, b...)
		}
		d, _ := cas.PutBlob(ctx, r.store, all)
		result.OutputFiles = []*repb.OutputFile{{Path: "out", Digest: d.Proto(), IsExecutable: true}}
		result.OutputSymlinks = []*repb.OutputSymlink{{Path: "link", Target: "out"}}
	case "tree":
		result.OutputDirectories = []*repb.OutputDirectory{r.outputDirectory(root, command.OutputDirectoryFormat, len(args) > 1)}
	case "fail":
		kind, _ := strconv.Atoi(args[1])
		return &queue.Outcome{Failure: &queue.Failure{Kind: queue.Kind(kind), Reason: "told to"}}
	case "usage":
	}
	if result.ExitCode == 0 {
		if err := r.cache.SetResult(ctx, l.Task.Action, result); err != nil {
			r.t.Error(err)
		}
	}
	return &queue.Outcome{Result: result}
}

// outputDirectory tells of root as a Tree, as farms of old do, or by its digest.
func (r *rig) outputDirectory(root digest.Digest, f repb.Command_OutputDirectoryFormat, treeOnly bool) *repb.OutputDirectory {
	t := &repb.Tree{}
	_ = tree.Walk(context.Background(), r.store, root, tree.Limits{}, func(path string, dir *repb.Directory) error {
		if path == "" {
			t.Root = dir
		} else {
			t.Children = append(t.Children, dir)
		}
		return nil
	})
	b, _ := proto.Marshal(t)
	d, _ := cas.PutBlob(context.Background(), r.store, b)
	o := &repb.OutputDirectory{Path: "dir", TreeDigest: d.Proto()}
	if !treeOnly && f == repb.Command_TREE_AND_DIRECTORY {
		o.RootDirectoryDigest = root.Proto()
	}
	return o
}

func times() *repb.ExecutedActionMetadata {
	at := func(s int64) *timestamppb.Timestamp { return &timestamppb.Timestamp{Seconds: s} }
	usage, _ := anypb.New(&kvfarmpb.ResourceUsage{UserTime: &durationpb.Duration{Seconds: 2}, SystemTime: &durationpb.Duration{Seconds: 1}})
	return &repb.ExecutedActionMetadata{Worker: "w", ExecutionStartTimestamp: at(100), ExecutionCompletedTimestamp: at(105),
		AuxiliaryMetadata: []*anypb.Any{usage}}
}

func (r *rig) message(d digest.Digest, m proto.Message) {
	b, err := cas.ReadBlob(context.Background(), r.store, d, 1<<30)
	if err == nil {
		err = proto.Unmarshal(b, m)
	}
	if err != nil {
		r.t.Error(err)
	}
}

// texts is content that lives with the client.
type texts map[digest.Digest][]byte

func (c texts) Open(d digest.Digest) (io.ReadCloser, error) {
	b, ok := c[d]
	if !ok {
		return nil, fmt.Errorf("open %v: %w", d, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// inputsOf makes files of texts by name, and the content behind them.
func inputsOf(byName map[string]string) (tree.Files, texts) {
	files, content := tree.Files{}, texts{}
	for name, s := range byName {
		d := digest.Of([]byte(s))
		files[name] = tree.Entry{Digest: d}
		content[d] = []byte(s)
	}
	return files, content
}
