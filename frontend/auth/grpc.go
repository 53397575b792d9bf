package auth

import (
	"context"
	"fmt"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	asset "github.com/bazelbuild/remote-apis/build/bazel/remote/asset/v1"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// needs is what each method takes. One that is not listed is refused.
var needs = map[string]Permission{
	repb.Capabilities_GetCapabilities_FullMethodName: Read,

	repb.ContentAddressableStorage_FindMissingBlobs_FullMethodName: Read,
	repb.ContentAddressableStorage_BatchReadBlobs_FullMethodName:   Read,
	repb.ContentAddressableStorage_GetTree_FullMethodName:          Read,
	repb.ContentAddressableStorage_SplitBlob_FullMethodName:        Read,
	repb.ContentAddressableStorage_GetChunkMapping_FullMethodName:  Read,
	repb.ActionCache_GetActionResult_FullMethodName:                Read,
	"/google.bytestream.ByteStream/Read":                           Read,

	repb.ContentAddressableStorage_BatchUpdateBlobs_FullMethodName:     Write,
	repb.ContentAddressableStorage_SpliceBlob_FullMethodName:           Write,
	repb.ContentAddressableStorage_RegisterChunkMapping_FullMethodName: Write,
	"/google.bytestream.ByteStream/Write":                              Write,
	"/google.bytestream.ByteStream/QueryWriteStatus":                   Write,

	repb.Execution_Execute_FullMethodName:                 Execute,
	repb.Execution_WaitExecution_FullMethodName:           Execute,
	longrunning.Operations_GetOperation_FullMethodName:    Execute,
	longrunning.Operations_WaitOperation_FullMethodName:   Execute,
	longrunning.Operations_CancelOperation_FullMethodName: Execute,

	asset.Fetch_FetchBlob_FullMethodName:      Read, // of what was pushed; more takes what MayFetch says
	asset.Fetch_FetchDirectory_FullMethodName: Read,

	repb.ActionCache_UpdateActionResult_FullMethodName: Update,
	asset.Push_PushBlob_FullMethodName:                 Update,
	asset.Push_PushDirectory_FullMethodName:            Update,

	pb.Lease_Take_FullMethodName:     Work,
	pb.Lease_Renew_FullMethodName:    Work,
	pb.Lease_Publish_FullMethodName:  Work,
	pb.Lease_Complete_FullMethodName: Work,
	pb.Lease_Log_FullMethodName:      Work,

	longrunning.Operations_ListOperations_FullMethodName:  Admin,
	longrunning.Operations_DeleteOperation_FullMethodName: Admin,

	// How the server is may be asked by everybody.
	grpc_health_v1.Health_Check_FullMethodName: nothing,
	grpc_health_v1.Health_Watch_FullMethodName: nothing,
	grpc_health_v1.Health_List_FullMethodName:  nothing,
}

// Options put a Guard before all services of a server. instance returns the
// instance that a ByteStream name begins with.
func (g *Guard) Options(instance func(resource string) string) []grpc.ServerOption {
	d := door{g, instance}
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(d.unary), grpc.ChainStreamInterceptor(d.stream)}
}

// MayUpdate reports whether the caller of ctx may write the action cache.
func (g *Guard) MayUpdate(ctx context.Context, instance string) bool {
	return g.may(ctx, Update, instance)
}

// MayFetch reports whether the caller of ctx may have the server fetch and store
// blobs.
func (g *Guard) MayFetch(ctx context.Context, instance string) bool {
	return g.may(ctx, Write, instance)
}

func (g *Guard) may(ctx context.Context, p Permission, instance string) bool {
	r := g.now.Load()
	c, err := r.caller(ctx)
	return err == nil && r.may(c, p, &instance)
}

type door struct {
	guard    *Guard
	instance func(resource string) string
}

func (d door) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	v, err := d.open(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	if err := v.check(d.of(req)); err != nil {
		return nil, err
	}
	return handle(ctx, req)
}

func (d door) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	v, err := d.open(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	if err := v.check(nil); err != nil { // not even in some other instance
		return err
	}
	return handle(srv, &checked{ServerStream: stream, door: d, visit: v})
}

// checked is a stream whose first message says what it is about.
type checked struct {
	grpc.ServerStream
	door
	visit *visit
}

func (c *checked) RecvMsg(m any) error {
	if err := c.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	if c.visit == nil {
		return nil
	}
	v := c.visit
	c.visit = nil
	return v.check(c.of(m))
}

// visit is a call by a known caller.
type visit struct {
	rules  *rules
	caller Caller
	method string
	needs  Permission
}

// open finds out who calls.
func (d door) open(ctx context.Context, method string) (*visit, error) {
	need, known := needs[method]
	if !known {
		return nil, status.Errorf(codes.PermissionDenied, "nobody may call %s", method)
	}
	v := &visit{rules: d.guard.now.Load(), method: method, needs: need}
	if need == nothing {
		return v, nil
	}
	var err error
	if v.caller, err = v.rules.caller(ctx); err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	return v, nil
}

// check refuses a call to an instance, nil if it is about none, that no grant
// lets the caller make.
func (v *visit) check(instance *string) error {
	if v.needs == nothing || v.rules.may(v.caller, v.needs, instance) {
		return nil
	}
	what := fmt.Sprintf("%s needs the permission %q", v.method, v.needs)
	if instance != nil {
		what += fmt.Sprintf(" in instance %q", *instance)
	}
	if v.caller.String() == anonymous[0] {
		return status.Errorf(codes.Unauthenticated, "%s: send a token (--remote_header='authorization=Bearer TOKEN' or --credential_helper), or a client's certificate", what)
	}
	return status.Errorf(codes.PermissionDenied, "%s, which no grant gives to %v", what, v.caller)
}

// of returns the instance that a request is about; nil for operations, whose
// names are hard to guess, and for leases.
func (d door) of(req any) *string {
	var name string
	switch r := req.(type) {
	case interface{ GetInstanceName() string }:
		name = r.GetInstanceName()
	case interface{ GetResourceName() string }:
		name = d.instance(r.GetResourceName())
	default:
		return nil
	}
	return &name
}
