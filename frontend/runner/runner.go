// Package runner runs commands for a Buildbarn worker, in the same sandbox as
// our own: a door from Buildbarn's runner protocol to executor/inplace.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"path/filepath"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/kvfarm/kvfarm/executor/inplace"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	runnerpb "github.com/kvfarm/kvfarm/proto/buildbarn/runner"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Server implements Buildbarn's Runner service.
type Server struct {
	runnerpb.UnimplementedRunnerServer
	runner *inplace.Runner
	log    *slog.Logger
}

// New returns a Server whose commands r runs. r's folder is bb_worker's build
// directory.
func New(r *inplace.Runner, log *slog.Logger) *Server { return &Server{runner: r, log: log} }

// CheckReadiness implements the service: both sides must mean the same folder.
func (s *Server) CheckReadiness(_ context.Context, req *runnerpb.CheckReadinessRequest) (*emptypb.Empty, error) {
	if _, err := s.runner.Dir().Stat(req.Path); err != nil {
		return nil, status.Errorf(codes.Unavailable, "build directory %s is not the worker's: %v", s.runner.Dir().Name(), err)
	}
	return &emptypb.Empty{}, nil
}

// Run implements the service. Whatever is not the command's own doing is
// UNAVAILABLE, so that clients try again and get another worker.
func (s *Server) Run(ctx context.Context, req *runnerpb.RunRequest) (*runnerpb.RunResponse, error) {
	if err := check(req); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	r, err := s.run(ctx, req)
	switch {
	case err == nil:
		return r, nil
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	case errors.Is(err, sandbox.ErrTooMuch), errors.Is(err, inplace.ErrNoRoot), errors.Is(err, inplace.ErrName):
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	s.log.Error("command did not run", "folder", req.InputRootDirectory, "error", err)
	return nil, status.Error(codes.Unavailable, err.Error())
}

// check looks for paths that lead out.
func check(req *runnerpb.RunRequest) error {
	if len(req.Arguments) == 0 || req.Arguments[0] == "" {
		return errors.New("command has no program")
	}
	for _, p := range []string{req.InputRootDirectory, req.StdoutPath, req.StderrPath, req.TemporaryDirectory, path.Join(".", req.WorkingDirectory)} {
		if !filepath.IsLocal(p) {
			return fmt.Errorf("path %q leads out of its folder", p)
		}
	}
	return nil
}

func (s *Server) run(ctx context.Context, req *runnerpb.RunRequest) (*runnerpb.RunResponse, error) {
	spec := sandbox.Spec{Argv: req.Arguments, WorkDir: req.WorkingDirectory}
	for name, value := range req.EnvironmentVariables {
		spec.Env = append(spec.Env, name+"="+value)
	}
	stdout, err := s.create(req.StdoutPath)
	if err != nil {
		return nil, fmt.Errorf("make stdout: %w", err)
	}
	defer func() { _ = stdout.Close() }()
	stderr, err := s.create(req.StderrPath)
	if err != nil {
		return nil, fmt.Errorf("make stderr: %w", err)
	}
	defer func() { _ = stderr.Close() }()
	spec.Stdout, spec.Stderr = stdout, stderr // as it comes: all that is left of a command that runs out of time
	left, err := s.runner.Run(ctx, req.InputRootDirectory, req.TemporaryDirectory, spec)
	if err != nil {
		return nil, err
	}
	defer left.Close()
	return response(left), nil
}

func (s *Server) create(name string) (*os.File, error) {
	return s.runner.Dir().OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// response is how a command ended, with what it used.
func response(left *sandbox.Result) *runnerpb.RunResponse {
	r := &runnerpb.RunResponse{ExitCode: int64(left.ExitCode)}
	usage, err := anypb.New(&kvfarmpb.ResourceUsage{
		UserTime: durationpb.New(left.Usage.User), SystemTime: durationpb.New(left.Usage.System), PeakMemoryBytes: left.Usage.Peak})
	if err == nil { // it is of our own making
		r.ResourceUsage = append(r.ResourceUsage, usage)
	}
	return r
}
