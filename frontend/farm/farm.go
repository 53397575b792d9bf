// Package farm is the client of a Remote Execution farm, be it embedded or
// somebody's cluster. It runs kbuild's actions and moves blobs.
package farm

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "github.com/bazelbuild/remote-apis-sdks/go/pkg/client"
	"github.com/bazelbuild/remote-apis-sdks/go/pkg/retry"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/remote"
	"github.com/kvfarm/kvfarm/frontend/lease"
)

// Client is a connection to a farm. It is safe for concurrent use.
type Client struct {
	cfg   Config
	sdk   *sdk.Client
	exec  *sdk.Client // the same connection, other retries
	store *remote.Store
	known known
	turn  chan struct{} // held by who uploads, lest actions that share inputs send them twice
}

// Dial connects to a farm and asks what it can do, so that a wrong endpoint is
// told at once.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	conn, err := cfg.connect(cfg.Executor)
	if err != nil {
		return nil, err
	}
	casConn := conn
	if cfg.Cache != cfg.Executor {
		if casConn, err = cfg.connect(cfg.Cache); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	c, err := newClient(ctx, cfg, conn, casConn)
	if err != nil {
		_ = conn.Close() // the one error that matters is err
		_ = casConn.Close()
		return nil, fmt.Errorf("connect to farm %s: %w%s", cfg.Executor, readable{err}, hint(err))
	}
	return c, nil
}

func newClient(ctx context.Context, cfg Config, conn, casConn *grpc.ClientConn) (*Client, error) {
	calls, err := sdk.NewClientFromConnection(ctx, cfg.Instance, conn, casConn,
		retrier(firstRetries, retry.TransientOnly), cfg.timeouts())
	if err != nil {
		return nil, err
	}
	caps, err := calls.GetCapabilities(ctx)
	if err != nil {
		return nil, err
	}
	if !caps.GetExecutionCapabilities().GetExecEnabled() {
		return nil, errors.New("it runs no actions: a cache alone is no farm")
	}
	calls.Retrier = retrier(cfg.Retries, retry.TransientOnly)
	// Zero means no limit; the SDK would take it literally.
	if calls.MaxBatchSize <= 0 {
		calls.MaxBatchSize = sdk.DefaultMaxBatchSize
	}
	exec, err := sdk.NewClientFromConnection(ctx, cfg.Instance, conn, casConn,
		retrier(cfg.Retries, transientExecution), cfg.timeouts(), sdk.StartupCapabilities(false))
	if err != nil {
		return nil, err
	}
	return &Client{cfg: cfg, sdk: calls, exec: exec, store: remote.New(calls), turn: make(chan struct{}, 1)}, nil
}

// firstRetries is how often Dial tries again: a wrong endpoint should be told
// soon.
const firstRetries = 1

// retrier waits half a second at first, some four in all for five retries,
// which is what a farm takes to restart.
func retrier(retries int, again retry.ShouldRetry) *sdk.Retrier {
	return &sdk.Retrier{
		Backoff:     retry.ExponentialBackoff(500*time.Millisecond, 5*time.Second, retry.Attempts(retries+1)),
		ShouldRetry: again,
	}
}

// transientExecution leaves out INTERNAL: a farm says so when it has tried an
// action on several workers in vain.
func transientExecution(err error) bool {
	return retry.TransientOnly(err) && status.Code(err) != codes.Internal
}

func (c Config) timeouts() sdk.RPCTimeouts {
	return sdk.RPCTimeouts{"default": c.Timeout, "Execute": 0, "WaitExecution": 0}
}

// Close ends the connection.
func (c *Client) Close() error { return c.sdk.Close() }

// Store is the farm's store. What it holds is checked against its digest when
// it is read.
func (c *Client) Store() cas.Store { return c.store }

// Leases is where a worker for this farm gets its work, and the action cache
// that it writes.
func (c *Client) Leases() *lease.Client {
	return lease.NewClient(c.sdk.Connection(), c.store, c.cfg.Log)
}
