package rev2

import (
	"context"
	"errors"
	"io"
	"strings"

	bspb "google.golang.org/genproto/googleapis/bytestream"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// logName is where ByteStream.Read has what an operation's action writes.
func logName(operation string, stderr bool) string {
	if stderr {
		return "logstreams/" + operation + "/stderr"
	}
	return "logstreams/" + operation + "/stdout"
}

// parseLog is the inverse of logName, with or without an instance before it.
func parseLog(name string) (operation string, stderr, ok bool) {
	words := strings.Split(name, "/")
	if len(words) < 3 || words[len(words)-3] != "logstreams" {
		return "", false, false
	}
	last := words[len(words)-1]
	return words[len(words)-2], last == "stderr", last == "stderr" || last == "stdout"
}

// readLog streams what an action writes until its operation is done. When the
// action begins again on another worker, so does its output, after what there
// was. Whoever reads counts as waiting for the operation.
func (s *Server) readLog(stream bspb.ByteStream_ReadServer, op string, stderr bool, req *bspb.ReadRequest) error {
	if req.ReadOffset < 0 || req.ReadLimit < 0 {
		return invalid("read %q: offset %d, limit %d", req.ResourceName, req.ReadOffset, req.ReadLimit)
	}
	waiter, err := s.cfg.Queue.Wait(op)
	if err != nil {
		return err
	}
	defer waiter.Close()
	ended, stop := endOf(stream.Context(), waiter)
	defer stop()
	off, left := req.ReadOffset, req.ReadLimit
	for {
		p, changed := s.cfg.Logs.Read(op, stderr, off)
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
			if more, _ := s.cfg.Logs.Read(op, stderr, off); err == nil && len(more) > 0 {
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
