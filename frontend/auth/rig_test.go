package auth_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	assetpb "github.com/bazelbuild/remote-apis/build/bazel/remote/asset/v1"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/frontend/asset"
	"github.com/kvfarm/kvfarm/frontend/auth"
	"github.com/kvfarm/kvfarm/frontend/grpctest"
	"github.com/kvfarm/kvfarm/frontend/lease"
	"github.com/kvfarm/kvfarm/frontend/rev2"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// rig is a farm without workers, behind a guard.
type rig struct {
	t     *testing.T
	dir   string
	guard *auth.Guard
	names []string // of all methods
	conn  *grpc.ClientConn
	caps  repb.CapabilitiesClient
	cas   repb.ContentAddressableStorageClient
	bytes bspb.ByteStreamClient
	ac    repb.ActionCacheClient
	exec  repb.ExecutionClient
	ops   longrunning.OperationsClient
	lease kvfarmpb.LeaseClient
}

// start starts a farm whose guard reads the file "auth" of files.
func start(t *testing.T, files map[string]string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	for name, body := range files {
		r.write(name, body)
	}
	var err error
	if r.guard, err = auth.Open(filepath.Join(r.dir, "auth")); err != nil {
		t.Fatal(err)
	}
	store, results, q := memstore.New(), memstore.NewActionCache(), queue.New(queue.Config{})
	server := grpc.NewServer(append(rev2.Options(), r.guard.Options(rev2.Instance)...)...)
	rev2.New(rev2.Config{Store: store, Cache: results, Queue: q, MayUpdate: r.guard.MayUpdate, Log: slog.New(slog.DiscardHandler)}).Register(server)
	asset.New(asset.Config{Store: store, Results: results, MayPush: r.guard.MayUpdate}).Register(server)
	kvfarmpb.RegisterLeaseServer(server, lease.NewServer(q, results, nil))
	for service, info := range server.GetServiceInfo() {
		for _, m := range info.Methods {
			r.names = append(r.names, "/"+service+"/"+m.Name)
		}
	}
	t.Cleanup(q.Close)
	conn := grpctest.Connect(t, server, grpctest.Buffer)
	r.conn = conn
	r.caps, r.cas = repb.NewCapabilitiesClient(conn), repb.NewContentAddressableStorageClient(conn)
	r.bytes, r.ac = bspb.NewByteStreamClient(conn), repb.NewActionCacheClient(conn)
	r.exec, r.ops, r.lease = repb.NewExecutionClient(conn), longrunning.NewOperationsClient(conn), kvfarmpb.NewLeaseClient(conn)
	return r
}

func (r *rig) write(name, body string) {
	r.t.Helper()
	writeFile(r.t, filepath.Join(r.dir, name), body)
}

func writeFile(t *testing.T, name, body string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantOpenError(t *testing.T, file, want string) {
	t.Helper()
	if _, err := auth.Open(file); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// as is a context of a caller with that authorization header, if any.
func (r *rig) as(header string) context.Context {
	if header == "" {
		return r.t.Context()
	}
	return metadata.AppendToOutgoingContext(r.t.Context(), "authorization", header)
}

func (r *rig) wantRead(what, header string, want codes.Code) {
	r.t.Helper()
	err := calls["read"]["GetCapabilities"](r.as(header), r, "main")
	if status.Code(err) != want {
		r.t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// letIn is what the guard said: what comes after it has other codes.
func letIn(err error) codes.Code {
	c := status.Code(err)
	if c == codes.PermissionDenied || c == codes.Unauthenticated {
		return c
	}
	return codes.OK
}

type call func(ctx context.Context, r *rig, instance string) error

var some = digest.Of([]byte("some"))

// resource is a ByteStream name in an instance.
func resource(instance, rest string) string {
	return strings.TrimPrefix(instance+"/"+rest+"blobs/"+some.String(), "/")
}

const upload = "uploads/00000000-0000-4000-8000-000000000000/"

// calls are all methods by what they need.
var calls = map[string]map[string]call{
	"read": {
		"GetCapabilities": func(ctx context.Context, r *rig, instance string) error {
			_, err := r.caps.GetCapabilities(ctx, &repb.GetCapabilitiesRequest{InstanceName: instance})
			return err
		},
		"FindMissingBlobs": func(ctx context.Context, r *rig, instance string) error {
			_, err := r.cas.FindMissingBlobs(ctx, &repb.FindMissingBlobsRequest{InstanceName: instance})
			return err
		},
		"BatchReadBlobs": func(ctx context.Context, r *rig, instance string) error {
			_, err := r.cas.BatchReadBlobs(ctx, &repb.BatchReadBlobsRequest{InstanceName: instance})
			return err
		},
		"GetActionResult": func(ctx context.Context, r *rig, instance string) error {
			_, err := r.ac.GetActionResult(ctx, &repb.GetActionResultRequest{InstanceName: instance, ActionDigest: some.Proto()})
			return err
		},
		"GetTree": func(ctx context.Context, r *rig, instance string) error {
			return drain(r.cas.GetTree(ctx, &repb.GetTreeRequest{InstanceName: instance, RootDigest: some.Proto()}))
		},
		"FetchBlob": func(ctx context.Context, r *rig, instance string) error {
			_, err := assetpb.NewFetchClient(r.conn).FetchBlob(ctx, &assetpb.FetchBlobRequest{InstanceName: instance, Uris: []string{"urn:x"}})
			return err
		},
		"FetchDirectory": func(ctx context.Context, r *rig, instance string) error {
			_, err := assetpb.NewFetchClient(r.conn).FetchDirectory(ctx, &assetpb.FetchDirectoryRequest{InstanceName: instance, Uris: []string{"urn:x"}})
			return err
		},
		"Read": func(ctx context.Context, r *rig, instance string) error {
			return drain(r.bytes.Read(ctx, &bspb.ReadRequest{ResourceName: resource(instance, "")}))
		},
	},
	"write": {
		"BatchUpdateBlobs": func(ctx context.Context, r *rig, instance string) error {
			_, err := r.cas.BatchUpdateBlobs(ctx, &repb.BatchUpdateBlobsRequest{InstanceName: instance})
			return err
		},
		"Write": func(ctx context.Context, r *rig, instance string) error {
			s, err := r.bytes.Write(ctx)
			if err != nil {
				return err
			}
			_ = s.Send(&bspb.WriteRequest{ResourceName: resource(instance, upload), Data: []byte("else"), FinishWrite: true}) // CloseAndRecv says why
			_, err = s.CloseAndRecv()
			return err
		},
		"QueryWriteStatus": func(ctx context.Context, r *rig, instance string) error {
			_, err := r.bytes.QueryWriteStatus(ctx, &bspb.QueryWriteStatusRequest{ResourceName: resource(instance, upload)})
			return err
		},
	},
	"run": {
		"Execute": func(ctx context.Context, r *rig, instance string) error {
			return drain(r.exec.Execute(ctx, &repb.ExecuteRequest{InstanceName: instance, ActionDigest: some.Proto()}))
		},
	},
	"update": {
		"PushBlob": func(ctx context.Context, r *rig, instance string) error {
			_, err := assetpb.NewPushClient(r.conn).PushBlob(ctx, &assetpb.PushBlobRequest{InstanceName: instance})
			return err
		},
		"PushDirectory": func(ctx context.Context, r *rig, instance string) error {
			_, err := assetpb.NewPushClient(r.conn).PushDirectory(ctx, &assetpb.PushDirectoryRequest{InstanceName: instance})
			return err
		},
		"UpdateActionResult": func(ctx context.Context, r *rig, instance string) error {
			_, err := r.ac.UpdateActionResult(ctx, &repb.UpdateActionResultRequest{InstanceName: instance, ActionDigest: some.Proto(), ActionResult: &repb.ActionResult{}})
			return err
		},
	},
	"work": {
		"Take": func(ctx context.Context, r *rig, _ string) error {
			_, err := r.lease.Take(ctx, &kvfarmpb.TakeRequest{Worker: "w"})
			return err
		},
		"Renew": func(ctx context.Context, r *rig, _ string) error {
			_, err := r.lease.Renew(ctx, &kvfarmpb.RenewRequest{Lease: "none"})
			return err
		},
		"Publish": func(ctx context.Context, r *rig, _ string) error {
			_, err := r.lease.Publish(ctx, &kvfarmpb.PublishRequest{Lease: "none"})
			return err
		},
		"Log": func(ctx context.Context, r *rig, _ string) error {
			_, err := r.lease.Log(ctx, &kvfarmpb.LogRequest{Lease: "none"})
			return err
		},
		"Complete": func(ctx context.Context, r *rig, _ string) error {
			_, err := r.lease.Complete(ctx, &kvfarmpb.CompleteRequest{Lease: "none", Result: &repb.ActionResult{}})
			return err
		},
	},
}

// drain reads a stream to its end.
func drain[M any](s grpc.ServerStreamingClient[M], err error) error {
	for err == nil {
		_, err = s.Recv()
	}
	if err == io.EOF {
		return nil
	}
	return err
}
