package farm

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

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
