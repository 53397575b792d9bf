package farm

import (
	"context"
	"strings"
	"sync"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/kbuild"
)

// metadataKey is the header in which clients say who they are.
const metadataKey = "build.bazel.remote.execution.v2.requestmetadata-bin"

// actionKey is the context's key of the action that a call is about.
type actionKey struct{}

// about says that what is called is for a.
func about(ctx context.Context, a *kbuild.Action) context.Context {
	return context.WithValue(ctx, actionKey{}, a)
}

// caller says who calls and, where it is for an action, what that is: its kind is
// the mnemonic, its name the target. Farms show both to whoever looks after them.
func caller(ctx context.Context) string {
	who := &repb.RequestMetadata{ToolDetails: &repb.ToolDetails{ToolName: "kvfarm"}, ToolInvocationId: invocation()}
	if a, ok := ctx.Value(actionKey{}).(*kbuild.Action); ok {
		who.ActionMnemonic, who.TargetId = a.Kind, strings.ToValidUTF8(a.Name, "?")
	}
	b, err := proto.Marshal(who)
	if err != nil {
		return "" // it is of our own making
	}
	return string(b)
}

// invocation names this process to farms: those of one take turns with others'.
var invocation = sync.OnceValue(uuid.NewString)

// headers adds Config.Headers to every call and, unless they say so themselves, who
// calls. The SDK's own option for that replaces what else the call carries.
func headers(h map[string]string) []grpc.DialOption {
	var pairs []string
	for k, v := range h {
		pairs = append(pairs, k, v)
	}
	_, said := h[metadataKey]
	with := func(ctx context.Context) context.Context {
		if !said {
			ctx = metadata.AppendToOutgoingContext(ctx, metadataKey, caller(ctx))
		}
		return metadata.AppendToOutgoingContext(ctx, pairs...)
	}
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
