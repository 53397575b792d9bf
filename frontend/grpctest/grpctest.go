// Package grpctest connects tests to a server in their own process.
package grpctest

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// Buffer is how many bytes a connection holds that nobody has read yet, where
// that does not matter.
const Buffer = 1 << 20

// Connect has server answer until the test ends, and returns a connection to it
// that holds buffer bytes which nobody has read yet.
func Connect(t testing.TB, server *grpc.Server, buffer int, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	l := bufconn.Listen(buffer)
	go func() { _ = server.Serve(l) }() // until Stop
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("passthrough:test", append(options, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
