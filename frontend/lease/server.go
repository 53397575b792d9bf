// Package lease carries the queue's leases to worker processes and back: a
// Server beside the farm's queue, a Client that looks to a worker like the
// queue itself.
package lease

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/queue"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// maxWait is the longest that Take waits for work: proxies cut silent calls.
const maxWait = time.Minute

// Server implements the Lease service.
type Server struct {
	kvfarmpb.UnimplementedLeaseServer
	queue *queue.Queue
	cache cas.ActionCache

	mu    sync.Mutex
	given map[string]*given // by lease
}

// given is a lease that went out.
type given struct {
	action digest.Digest
	cached bool // the result may enter the action cache
	ttl    time.Duration
	seen   time.Time // when its holder last called
}

// NewServer serves leases of q. Results that workers publish go to c.
func NewServer(q *queue.Queue, c cas.ActionCache) *Server {
	return &Server{queue: q, cache: c, given: map[string]*given{}}
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
			&queue.Outcome{Failure: &queue.Failure{Kind: queue.Fault, Reason: "worker left"}}) // or it runs out
		return nil, toStatus(ctx.Err())
	}
	s.give(l)
	return toLease(l), nil
}

func (s *Server) give(l *queue.Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for id, g := range s.given { // of workers that never came back
		if now.Sub(g.seen) > 100*g.ttl {
			delete(s.given, id)
		}
	}
	s.given[l.ID] = &given{action: l.Task.Action, cached: !l.Task.DoNotCache, ttl: l.TTL, seen: now}
}

func (s *Server) see(id string) (given, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.given[id]
	if !ok {
		return given{}, false
	}
	g.seen = time.Now()
	return *g, true
}

func (s *Server) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.given, id)
}

// Renew implements the service.
func (s *Server) Renew(ctx context.Context, req *kvfarmpb.RenewRequest) (*kvfarmpb.RenewResponse, error) {
	s.see(req.Lease)
	if err := s.queue.Heartbeat(ctx, req.Lease, stagesBack[req.Stage]); err != nil {
		return nil, toStatus(err)
	}
	return &kvfarmpb.RenewResponse{}, nil
}

// Publish implements the service. A lease that ran out is still good for it:
// the result is as true as the next one's.
func (s *Server) Publish(ctx context.Context, req *kvfarmpb.PublishRequest) (*kvfarmpb.PublishResponse, error) {
	g, ok := s.see(req.Lease)
	switch {
	case !ok:
		return nil, status.Errorf(codes.NotFound, "publish: no lease %q", req.Lease)
	case req.Result == nil:
		return nil, status.Errorf(codes.InvalidArgument, "publish %v: no result", g.action)
	case !g.cached:
		return nil, status.Errorf(codes.InvalidArgument, "publish %v: the action is not to be cached", g.action)
	}
	if err := s.cache.SetResult(ctx, g.action, req.Result); err != nil {
		return nil, toStatus(err)
	}
	return &kvfarmpb.PublishResponse{}, nil
}

// Complete implements the service.
func (s *Server) Complete(ctx context.Context, req *kvfarmpb.CompleteRequest) (*kvfarmpb.CompleteResponse, error) {
	o, err := fromOutcome(req)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	defer s.drop(req.Lease)
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
	case errors.Is(err, queue.ErrClosed):
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
