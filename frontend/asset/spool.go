package asset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// Qualifiers that a fetch understands.
const (
	checksum  = "checksum.sri"
	subfolder = "directory"
)

// asides are qualifiers that do not change what is fetched: they are part of the
// name alone.
var asides = []string{"resource_type", "bazel.canonical_id"}

// openFlags keep a pipe that stands where a file is expected from being waited for.
const openFlags = syscall.O_NONBLOCK

// qualifier returns the value of a qualifier, "" if there is none.
func (n *name) qualifier(which string) string {
	for _, q := range n.qualifiers {
		if q.Name == which {
			return q.Value
		}
	}
	return ""
}

// wish is what qualifiers ask of content that is fetched.
type wish struct {
	sums      sums
	subfolder string
}

// newWish refuses qualifiers that a fetch cannot heed.
func newWish(n *name) (*wish, error) {
	w := &wish{}
	bad := &errdetails.BadRequest{}
	for _, q := range n.qualifiers {
		switch {
		case q.Name == checksum:
			var err error
			if w.sums, err = parseSRI(q.Value); err != nil {
				return nil, err
			}
		case q.Name == subfolder && n.kind == directory:
			w.subfolder = q.Value
		case !slices.Contains(asides, q.Name):
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
				Field: "qualifiers.name", Description: fmt.Sprintf("%q not supported", q.Name)})
		}
	}
	if len(bad.FieldViolations) == 0 {
		return w, nil
	}
	st := status.Newf(codes.InvalidArgument, "fetch %s: %s", n.uri, bad.FieldViolations[0].Description)
	if detailed, err := st.WithDetails(bad); err == nil {
		st = detailed
	}
	return nil, st.Err()
}

// spool brings an asset to a file that nobody else sees, and checks it.
func (s *Server) spool(ctx context.Context, n *name, from origin, want *wish) (*os.File, error) {
	r, err := from.open(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	file, err := s.scratch()
	if err != nil {
		return nil, err
	}
	if err := s.fill(file, r, want); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, errors.Join(fmt.Errorf("fetch %s: %w", n.uri, err), file.Close())
	}
	return file, nil
}

func (s *Server) fill(file *os.File, r io.Reader, want *wish) error {
	size, err := io.Copy(io.MultiWriter(file, want.sums.writer()), io.LimitReader(r, s.cfg.MaxBytes+1))
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return status.Errorf(codes.ResourceExhausted, "no room: %v", err)
	case err != nil:
		return status.Errorf(codes.Aborted, "the origin stopped: %v", err)
	case size > s.cfg.MaxBytes:
		return status.Errorf(codes.ResourceExhausted, "larger than the limit of %d bytes", s.cfg.MaxBytes)
	}
	if err := want.sums.check(); err != nil {
		return status.Error(codes.Aborted, err.Error())
	}
	return nil
}

// scratch makes a file without a name: it is gone when it is closed, or the
// process ends.
func (s *Server) scratch() (*os.File, error) {
	f, err := os.CreateTemp(s.cfg.Dir, "asset-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// putFile stores a file's content.
func (s *Server) putFile(ctx context.Context, f *os.File, by digest.Function) (digest.Digest, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return digest.Digest{}, err
	}
	d, err := by.OfReader(f)
	if err != nil {
		return d, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return d, err
	}
	return d, s.cfg.Store.Put(ctx, d, f)
}
