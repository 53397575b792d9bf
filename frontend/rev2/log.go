package rev2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	bspb "google.golang.org/genproto/googleapis/bytestream"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// logName is where ByteStream.Read has what an operation's action writes.
func logName(state queue.State, stream string) string {
	name := "logstreams/" + state.Name + "/" + stream
	if state.Instance != "" {
		name = state.Instance + "/" + name
	}
	return name
}

// logStream is what a name of logName names.
type logStream struct {
	instance, operation string
	stderr              bool
}

// parseLog is the inverse of logName. A name that reads as an upload too, whose
// metadata may be anything, is none of a log: it would belong to two instances.
func parseLog(name string) (l logStream, ok bool) {
	words := strings.Split(name, "/")
	n := len(words) - 3
	if n < 0 || words[n] != "logstreams" || words[n+2] != "stdout" && words[n+2] != "stderr" {
		return logStream{}, false
	}
	if _, _, upload := writeName(words); upload {
		return logStream{}, false
	}
	return logStream{instance: strings.Join(words[:n], "/"), operation: words[n+1], stderr: words[n+2] == "stderr"}, true
}

// readLog streams what an action writes until its operation is done. When the
// action begins again on another worker, so does its output, after what there
// was. Whoever reads counts as waiting for the operation.
func (s *Server) readLog(stream bspb.ByteStream_ReadServer, log logStream, req *bspb.ReadRequest) error {
	if req.ReadOffset < 0 || req.ReadLimit < 0 {
		return invalid("read %q: offset %d, limit %d", req.ResourceName, req.ReadOffset, req.ReadLimit)
	}
	waiter, err := s.cfg.Queue.Wait(log.operation)
	if err != nil {
		return err
	}
	defer waiter.Close()
	state, err := waiter.Next(stream.Context())
	if err != nil {
		return err
	}
	if state.Instance != log.instance {
		return fmt.Errorf("read %q: %w", req.ResourceName, queue.ErrUnknown)
	}
	ended, stop := endOf(stream.Context(), waiter)
	defer stop()
	off, left := req.ReadOffset, req.ReadLimit
	for {
		p, changed := s.cfg.Logs.Read(log.operation, log.stderr, off)
		if req.ReadLimit > 0 {
			p = p[:min(int64(len(p)), left)]
			left -= int64(len(p))
		}
		for part := p; len(part) > 0; part = part[min(len(part), chunk):] {
			if err := stream.Send(&bspb.ReadResponse{Data: part[:min(len(part), chunk)]}); err != nil {
				return err
			}
		}
		off += int64(len(p))
		if req.ReadLimit > 0 && left == 0 {
			return nil
		}
		select {
		case <-changed:
		case err := <-ended:
			if more, _ := s.cfg.Logs.Read(log.operation, log.stderr, off); err == nil && len(more) > 0 {
				ended <- nil // once more, and then the end
				continue
			}
			return err
		}
	}
}

// endOf follows a task, and says when it is done.
func endOf(ctx context.Context, waiter *queue.Waiter) (chan error, context.CancelFunc) {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		for {
			_, err := waiter.Next(ctx)
			if errors.Is(err, io.EOF) {
				err = nil
			} else if err == nil {
				continue
			}
			ended <- err
			return
		}
	}()
	return ended, stop
}
