// Package lease carries the queue's leases to worker processes and back: a
// Server beside the farm's queue, a Client that looks to a worker like the
// queue itself.
package lease

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/worker"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// maxWait is the longest that Take waits for work: proxies cut silent calls.
const maxWait = time.Minute

// Server implements the Lease service. It has no state of its own: what a lease
// is good for the queue knows, over restarts.
type Server struct {
	kvfarmpb.UnimplementedLeaseServer
	queue *queue.Queue
	cache cas.ActionCache
	logs  worker.Logs
}

// NewServer serves leases of q. Results that workers publish go to c, what
// their actions write while they run goes to logs, if there are any.
func NewServer(q *queue.Queue, c cas.ActionCache, logs worker.Logs) *Server {
	return &Server{queue: q, cache: c, logs: logs}
}

// Take implements the service.
func (s *Server) Take(ctx context.Context, req *kvfarmpb.TakeRequest) (*kvfarmpb.TakeResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, min(req.Wait.AsDuration(), maxWait))
	defer cancel()
	l, err := s.queue.Lease(ctx, queue.Worker{Name: req.Worker, Properties: fromProperties(req.Properties)})
	if errors.Is(err, context.DeadlineExceeded) {
		return &kvfarmpb.TakeResponse{}, nil
	}
	if err != nil {
		return nil, toStatus(err)
	}
	if errors.Is(ctx.Err(), context.Canceled) { // granted to a worker that has left
		_ = s.queue.Complete(context.WithoutCancel(ctx), l.ID,
			&queue.Outcome{Failure: &queue.Failure{Kind: queue.Returned, Reason: "worker left"}}) // or it runs out
		return nil, toStatus(ctx.Err())
	}
	return toLease(l), nil
}

// Renew implements the service.
func (s *Server) Renew(ctx context.Context, req *kvfarmpb.RenewRequest) (*kvfarmpb.RenewResponse, error) {
	if err := s.queue.Heartbeat(ctx, req.Lease, stagesBack[req.Stage]); err != nil {
		return nil, toStatus(err)
	}
	return &kvfarmpb.RenewResponse{}, nil
}

// Publish implements the service. A lease that ran out is still good for it:
// the result is as true as the next one's.
func (s *Server) Publish(ctx context.Context, req *kvfarmpb.PublishRequest) (*kvfarmpb.PublishResponse, error) {
	t, err := s.queue.Task(req.Lease)
	switch {
	case err != nil:
		return nil, toStatus(fmt.Errorf("publish: %w", err))
	case req.Result == nil:
		return nil, status.Errorf(codes.InvalidArgument, "publish %v: no result", t.Action)
	case t.DoNotCache:
		return nil, status.Errorf(codes.InvalidArgument, "publish %v: the action is not to be cached", t.Action)
	}
	if err := s.cache.SetResult(ctx, t.Action, req.Result); err != nil {
		return nil, toStatus(err)
	}
	return &kvfarmpb.PublishResponse{}, nil
}

// Log implements the service.
func (s *Server) Log(ctx context.Context, req *kvfarmpb.LogRequest) (*kvfarmpb.LogResponse, error) {
	if s.logs == nil {
		return nil, status.Error(codes.Unimplemented, "log: nobody watches here")
	}
	if req.Offset < 0 {
		return nil, status.Errorf(codes.InvalidArgument, "log of lease %q: offset %d", req.Lease, req.Offset)
	}
	if err := s.logs.Append(ctx, req.Lease, req.Stderr, req.Offset, req.Data); err != nil {
		return nil, toStatus(err)
	}
	return &kvfarmpb.LogResponse{}, nil
}

// Complete implements the service.
func (s *Server) Complete(ctx context.Context, req *kvfarmpb.CompleteRequest) (*kvfarmpb.CompleteResponse, error) {
	o, err := fromOutcome(req)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if err := s.queue.Complete(ctx, req.Lease, o); err != nil {
		return nil, toStatus(err)
	}
	return &kvfarmpb.CompleteResponse{}, nil
}

func toStatus(err error) error {
	code := codes.Internal
	switch {
	case errors.Is(err, queue.ErrLost):
		code = codes.NotFound
	case errors.Is(err, queue.ErrClosed), errors.Is(err, queue.ErrJournal):
		code = codes.Unavailable
	case errors.Is(err, cas.ErrFull):
		code = codes.ResourceExhausted
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	}
	return status.Error(code, err.Error())
}
