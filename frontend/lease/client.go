package lease

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/queue"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Times of a Client.
const (
	wait    = 20 * time.Second       // for work, in one call
	pause   = 300 * time.Millisecond // before a call is made again
	persist = 30 * time.Second       // in delivering what an action came to

	logPatience = 5 * time.Second
)

// Client takes leases from a farm elsewhere, with the methods of queue.Queue
// that a worker uses. It is also the worker's action cache, which it reads
// through another one and writes by its leases.
type Client struct {
	cas.ActionCache
	rpc   kvfarmpb.LeaseClient
	reach reach

	mu    sync.Mutex
	holds map[digest.Digest]string // lease by action
}

// NewClient returns a client over conn. Results are looked up in c; log is told
// when the farm cannot be reached.
func NewClient(conn grpc.ClientConnInterface, c cas.ActionCache, log *slog.Logger) *Client {
	return &Client{ActionCache: c, rpc: kvfarmpb.NewLeaseClient(conn), reach: reach{log: log}, holds: map[digest.Digest]string{}}
}

// Lease is queue.Queue's. A farm that cannot be reached is waited for, and so is
// one that gave leases once and denies them now. Error: queue.ErrDenied.
func (c *Client) Lease(ctx context.Context, w queue.Worker) (*queue.Lease, error) {
	req := &kvfarmpb.TakeRequest{Worker: w.Name, Properties: toProperties(w.Properties)}
	for {
		patience := wait
		if c.reach.isLost() {
			patience = pause // to tell soon that it is there again
		}
		req.Wait = durationpb.New(patience)
		resp, err := c.rpc.Take(ctx, req)
		if err == nil {
			c.reach.found()
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case denied(err) && !c.reach.everFound():
			return nil, fmt.Errorf("take lease: %w: %s", queue.ErrDenied, status.Convert(err).Message())
		case denied(err) || status.Code(err) == codes.Unavailable:
			c.reach.lost(err)
			if err := sleep(ctx, pause); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, fmt.Errorf("take lease: %w", translate(err))
		case resp.Lease != "":
			return c.hold(resp)
		}
	}
}

// denied reports whether a farm said that it does not know the worker, or that it
// may not work.
func denied(err error) bool {
	return status.Code(err) == codes.PermissionDenied || status.Code(err) == codes.Unauthenticated
}

func (c *Client) hold(resp *kvfarmpb.TakeResponse) (*queue.Lease, error) {
	l, err := fromLease(resp)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holds[l.Task.Action] = l.ID
	return l, nil
}

// Heartbeat is queue.Queue's. It is not tried again: the next one comes soon.
func (c *Client) Heartbeat(ctx context.Context, id string, s queue.Stage) error {
	_, err := c.rpc.Renew(ctx, &kvfarmpb.RenewRequest{Lease: id, Stage: stages[s]})
	if err != nil {
		return fmt.Errorf("renew lease %q: %w", id, translate(err))
	}
	return nil
}

// Append implements worker.Logs. It is not tried again: logs that are late are
// of no use.
func (c *Client) Append(ctx context.Context, lease string, stderr bool, off int64, p []byte) error {
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	_, err := c.rpc.Log(ctx, &kvfarmpb.LogRequest{Lease: lease, Stderr: stderr, Offset: off, Data: p})
	if err != nil {
		return fmt.Errorf("log of lease %q: %w", lease, translate(err))
	}
	return nil
}

// SetResult implements cas.ActionCache, for actions of leases that c took.
func (c *Client) SetResult(ctx context.Context, d digest.Digest, r *repb.ActionResult) error {
	c.mu.Lock()
	id, ok := c.holds[d]
	c.mu.Unlock()
	if !ok {
		return fmt.Errorf("set result of %v: no lease for it", d)
	}
	err := deliver(ctx, func(ctx context.Context) error {
		_, err := c.rpc.Publish(ctx, &kvfarmpb.PublishRequest{Lease: id, Result: r}, grpc.WaitForReady(true))
		return err
	})
	if err != nil {
		return fmt.Errorf("set result of %v: %w", d, translate(err))
	}
	return nil
}

// Complete is queue.Queue's.
func (c *Client) Complete(ctx context.Context, id string, o *queue.Outcome) error {
	defer c.letGo(id)
	err := deliver(ctx, func(ctx context.Context) error {
		_, err := c.rpc.Complete(ctx, toOutcome(id, o), grpc.WaitForReady(true))
		return err
	})
	if err != nil {
		return fmt.Errorf("complete lease %q: %w", id, translate(err))
	}
	return nil
}

func (c *Client) letGo(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for d, held := range c.holds {
		if held == id {
			delete(c.holds, d)
		}
	}
}

// deliver makes a call until it gets through, for some time: what an action
// came to should outlast a short absence of the farm.
func deliver(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, persist)
	defer cancel()
	for {
		err := call(ctx)
		if status.Code(err) != codes.Unavailable || sleep(ctx, pause) != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// translate gives errors of the service the queue's names.
func translate(err error) error {
	names := map[codes.Code]error{
		codes.NotFound:          queue.ErrLost,
		codes.ResourceExhausted: cas.ErrFull,
		codes.Canceled:          context.Canceled,
		codes.DeadlineExceeded:  context.DeadlineExceeded,
	}
	if name, ok := names[status.Code(err)]; ok {
		return fmt.Errorf("%w (%s)", name, status.Convert(err).Message())
	}
	return err
}
