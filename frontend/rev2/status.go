package rev2

import (
	"context"
	"errors"
	"fmt"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/queue"
)

// errInvalid marks an error that is the caller's fault.
var errInvalid = errors.New("invalid request")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errInvalid, fmt.Errorf(format, args...))
}

// causes is the one table from our errors to gRPC's codes.
var causes = []struct {
	err  error
	code codes.Code
}{
	{errInvalid, codes.InvalidArgument},
	{tree.ErrMalformed, codes.InvalidArgument},
	{cas.ErrNotFound, codes.NotFound},
	{cas.ErrMismatch, codes.InvalidArgument},
	{cas.ErrRange, codes.OutOfRange},
	{cas.ErrFull, codes.ResourceExhausted},
	{cas.ErrCorrupt, codes.DataLoss},
	{queue.ErrClosed, codes.Unavailable},
	{queue.ErrJournal, codes.Unavailable},
	{queue.ErrFull, codes.ResourceExhausted},
	{queue.ErrUnknown, codes.NotFound},
	{queue.ErrPlatform, codes.InvalidArgument},
	{context.Canceled, codes.Canceled},
	{context.DeadlineExceeded, codes.DeadlineExceeded},
}

// toStatus translates err; what the table lacks is a fault of the server.
func toStatus(err error) *status.Status {
	if err == nil {
		return nil
	}
	var missing *missingError
	if errors.As(err, &missing) {
		return preconditions(err.Error(), missing.digests)
	}
	for _, c := range causes {
		if errors.Is(err, c.err) {
			return status.New(c.code, err.Error())
		}
	}
	if st, ok := status.FromError(err); ok {
		return st // of the transport, in a stream
	}
	return status.New(codes.Internal, err.Error())
}

func (s *Server) fail(err error) error {
	st := toStatus(err)
	switch st.Code() {
	case codes.OK:
		return nil
	case codes.Internal, codes.DataLoss, codes.ResourceExhausted:
		s.cfg.Log.Error("request failed", "error", err)
	case codes.Unavailable:
		if errors.Is(err, queue.ErrJournal) {
			s.cfg.Log.Error("request failed", "error", err)
		}
	}
	return st.Err()
}

// missingError says which blobs a request needs and the store lacks.
type missingError struct {
	what    string
	digests []digest.Digest
}

func (e *missingError) Error() string {
	return fmt.Sprintf("%s: %d blobs are missing, such as %v", e.what, len(e.digests), e.digests[0])
}

// preconditions is FAILED_PRECONDITION with a violation per blob, from which
// clients learn what to upload.
func preconditions(message string, ds []digest.Digest) *status.Status {
	failure := &errdetails.PreconditionFailure{}
	for _, d := range ds {
		failure.Violations = append(failure.Violations,
			&errdetails.PreconditionFailure_Violation{Type: "MISSING", Subject: "blobs/" + d.String()})
	}
	st := status.New(codes.FailedPrecondition, message)
	if detailed, err := st.WithDetails(failure); err == nil {
		return detailed
	}
	return st
}

// digestOf checks a digest by f from outside.
func digestOf(f digest.Function, p *repb.Digest) (digest.Digest, error) {
	d, err := f.FromProto(p)
	if err != nil {
		return digest.Digest{}, invalid("%w", err)
	}
	return d, nil
}

// functionOf is the digest function of a request, and so of all digests in it and
// in what they lead to.
func functionOf(v repb.DigestFunction_Value) (digest.Function, error) {
	f, err := digest.FunctionFromProto(v)
	if err != nil {
		return f, invalid("%w", err)
	}
	return f, nil
}

// named reads a digest that a request names.
func named(p *repb.Digest, v repb.DigestFunction_Value) (digest.Digest, error) {
	f, err := functionOf(v)
	if err != nil {
		return digest.Digest{}, err
	}
	return digestOf(f, p)
}

// batchStatus is err as the status of one blob, which also says OK.
func batchStatus(err error) *statuspb.Status {
	if err == nil {
		return &statuspb.Status{}
	}
	return status.Convert(err).Proto()
}

// Status translates an error of a store, a cache or a queue for other services of
// the same server.
func Status(err error) error { return toStatus(err).Err() }
