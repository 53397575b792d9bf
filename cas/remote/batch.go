package remote

import (
	"context"
	"fmt"
	"sync"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// batch collects small blobs while an earlier batch is on its way, so that
// many puts at a time cost few calls and a single one does not wait.
type batch struct {
	mu      sync.Mutex
	waiting []*parcel
	sending bool
}

// parcel is a blob on its way.
type parcel struct {
	blob cas.Blob
	done chan struct{} // closed when err is set
	err  error
}

func (p *parcel) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("put %v: %w", p.blob.Digest, ctx.Err())
	}
}

func (p *parcel) end(err error) {
	if err != nil {
		p.err = fmt.Errorf("put %v: %w", p.blob.Digest, translate(err))
	}
	close(p.done)
}

func (s *Store) putSmall(ctx context.Context, b cas.Blob) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := newParcel(b)
	s.enqueue(ctx, p)
	return p.wait(ctx)
}

// newParcel returns a parcel, which is at its end if b is not what it claims.
func newParcel(b cas.Blob) *parcel {
	p := &parcel{blob: b, done: make(chan struct{})}
	if b.Digest.Function.Of(b.Data) != b.Digest {
		p.end(cas.ErrMismatch)
	}
	return p
}

// enqueue puts ps in line, but for those that are at their end.
func (s *Store) enqueue(ctx context.Context, ps ...*parcel) {
	s.put.mu.Lock()
	defer s.put.mu.Unlock()
	for _, p := range ps {
		if p.err == nil {
			s.put.waiting = append(s.put.waiting, p)
		}
	}
	if !s.put.sending {
		s.put.sending = true
		// The batch carries other callers' blobs, too: it outlives this one.
		go s.sendWaiting(context.WithoutCancel(ctx))
	}
}

// sendWaiting sends batch after batch until nothing waits.
func (s *Store) sendWaiting(ctx context.Context) {
	for {
		ps := s.takeWaiting()
		if len(ps) == 0 {
			return
		}
		s.send(ctx, ps)
	}
}

// takeWaiting takes as many parcels as a batch may hold, all of one digest
// function.
func (s *Store) takeWaiting() []*parcel {
	s.put.mu.Lock()
	defer s.put.mu.Unlock()
	n, size := 0, int64(0)
	for n < len(s.put.waiting) && n < int(s.c.MaxBatchDigests) {
		d := s.put.waiting[n].blob.Digest
		size += d.Size
		if d.Function != s.put.waiting[0].blob.Digest.Function || size > int64(s.c.MaxBatchSize) {
			break
		}
		n++
	}
	ps := s.put.waiting[:n:n]
	s.put.waiting = s.put.waiting[n:]
	s.put.sending = n > 0
	return ps
}

// send sends a batch; blobs that the farm could not take just then are sent again.
func (s *Store) send(ctx context.Context, ps []*parcel) {
	open := make(map[digest.Digest][]*parcel, len(ps))
	for _, p := range ps {
		open[p.blob.Digest] = append(open[p.blob.Digest], p)
	}
	var err error
	again := s.c.Retrier.Do(ctx, func() (again error) {
		again, err = s.sendOnce(ctx, open)
		return again
	})
	if err == nil {
		err = again
	}
	if err == nil && len(open) > 0 {
		err = fmt.Errorf("farm did not answer for %d blobs of a batch", len(open))
	}
	for _, ps := range open {
		endAll(ps, err)
	}
}

// sendOnce sends what is open and closes what is decided. It returns why
// blobs are to be sent again, or why that would not help.
func (s *Store) sendOnce(ctx context.Context, open map[digest.Digest][]*parcel) (again, err error) {
	req := &repb.BatchUpdateBlobsRequest{InstanceName: s.c.InstanceName}
	var function digest.Function // of all of them
	for d, ps := range open {
		function = d.Function
		req.Requests = append(req.Requests, &repb.BatchUpdateBlobsRequest_Request{Digest: d.Proto(), Data: ps[0].blob.Data})
	}
	req.DigestFunction = function.Proto()
	resp, err := s.c.BatchUpdateBlobs(ctx, req)
	if err != nil {
		return nil, err
	}
	for _, r := range resp.Responses {
		d, err := function.FromProto(r.Digest)
		if err != nil {
			continue
		}
		err = status.FromProto(r.Status).Err()
		if err != nil && s.c.Retrier != nil && s.c.Retrier.ShouldRetry(err) {
			again = err
			continue
		}
		endAll(open[d], err)
		delete(open, d)
	}
	return again, nil
}

func endAll(ps []*parcel, err error) {
	for _, p := range ps {
		p.end(err)
	}
}
