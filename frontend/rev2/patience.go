package rev2

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// patience is how long a stream may wait for its client to send, or to take,
// the next message. Who is only slow moves on; who is gone without a word, or
// holds streams on purpose, does not.
const patience = 2 * time.Minute

// patient ends streams that wait for their client longer than d. What a stream
// waits for on our side, such as an action, has its own limits.
func patient(d time.Duration) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		over := make(chan struct{}, 1)
		timer := time.AfterFunc(d, func() {
			select {
			case over <- struct{}{}:
			default: // it has been said
			}
		})
		timer.Stop()
		defer timer.Stop()
		done := make(chan error, 1)
		go func() { done <- handle(srv, &timed{stream, timer, d}) }()
		select {
		case err := <-done:
			return err
		case <-over: // the stream ends with this, and with it what handle waits for
			return status.Errorf(codes.DeadlineExceeded, "client neither sent nor took anything for %v", d)
		}
	}
}

// timed is a stream whose timer runs while it waits for the client.
type timed struct {
	grpc.ServerStream
	timer *time.Timer
	d     time.Duration
}

func (t *timed) RecvMsg(m any) error {
	t.timer.Reset(t.d)
	defer t.timer.Stop()
	return t.ServerStream.RecvMsg(m)
}

func (t *timed) SendMsg(m any) error {
	t.timer.Reset(t.d)
	defer t.timer.Stop()
	return t.ServerStream.SendMsg(m)
}
