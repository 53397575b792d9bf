package rev2

import (
	"context"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/types/known/emptypb"
)

// GetOperation returns the present state of an execution. Whoever asks counts
// as waiting for it at that moment.
func (s *Server) GetOperation(ctx context.Context, req *longrunning.GetOperationRequest) (*longrunning.Operation, error) {
	waiter, err := s.cfg.Queue.Wait(req.Name)
	if err != nil {
		return nil, s.fail(err)
	}
	defer waiter.Close()
	state, err := waiter.Next(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	var p progress
	return s.operation(ctx, state, p.of(state), &repb.ExecuteRequest{}), nil
}

// CancelOperation ends an execution for all who wait for it. Its worker stops
// the action at the next heartbeat.
func (s *Server) CancelOperation(_ context.Context, req *longrunning.CancelOperationRequest) (*emptypb.Empty, error) {
	if err := s.cfg.Queue.Cancel(req.Name); err != nil {
		return nil, s.fail(err)
	}
	return &emptypb.Empty{}, nil
}
