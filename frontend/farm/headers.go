package farm

import (
	"context"
	"maps"
	"sync"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// metadataKey is the header in which clients say who they are.
const metadataKey = "build.bazel.remote.execution.v2.requestmetadata-bin"

// allHeaders is Config.Headers and, unless they say so themselves, who calls.
func (c Config) allHeaders() map[string]string {
	all := map[string]string{}
	who, err := proto.Marshal(&repb.RequestMetadata{ToolDetails: &repb.ToolDetails{ToolName: "kvfarm"}, ToolInvocationId: invocation()})
	if err == nil { // it is of our own making
		all[metadataKey] = string(who)
	}
	maps.Copy(all, c.Headers)
	return all
}

// invocation names this process to farms: those of one take turns with others'.
var invocation = sync.OnceValue(uuid.NewString)

// headers adds metadata to every call. The SDK's own option for that replaces
// what else the call carries.
func headers(h map[string]string) []grpc.DialOption {
	if len(h) == 0 {
		return nil
	}
	var pairs []string
	for k, v := range h {
		pairs = append(pairs, k, v)
	}
	with := func(ctx context.Context) context.Context { return metadata.AppendToOutgoingContext(ctx, pairs...) }
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any,
			cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			return invoke(with(ctx), method, req, reply, cc, opts...)
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc,
			cc *grpc.ClientConn, method string, stream grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			return stream(with(ctx), desc, cc, method, opts...)
		}),
	}
}
