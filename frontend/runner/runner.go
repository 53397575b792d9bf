// Package runner runs commands for a Buildbarn worker, in the same sandbox as
// our own: a door from Buildbarn's runner protocol to executor/sandbox.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	runnerpb "github.com/kvfarm/kvfarm/proto/buildbarn/runner"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Config says what a Server runs, and how.
type Config struct {
	// BuildDir is where bb_worker lays out input roots.
	BuildDir string
	// Root is the folder of each input root that becomes "/": the value of the
	// platform property kvfarm-root in bb_worker's configuration. Empty: "/" has
	// nothing in it.
	Root string
	// Memory is the limit of an action in bytes. Zero: none.
	Memory int64
	// Outputs is how many bytes an action may leave. Zero: 16 GiB.
	Outputs int64
	Host    *sandbox.Host
	Log     *slog.Logger
}

// Server implements Buildbarn's Runner service. Close gives up what it holds.
type Server struct {
	runnerpb.UnimplementedRunnerServer
	cfg   Config
	build *os.Root
	empty string // a root with nothing in it
}

// New returns a Server.
func New(cfg Config) (*Server, error) {
	if !cfg.Host.Stacks() {
		return nil, fmt.Errorf("run commands in %s: overlayfs does not work there, and without it changes to inputs cannot be told from the rest; put the build directory on ext4, xfs, btrfs or tmpfs", cfg.BuildDir)
	}
	if cfg.Root != "" && !filepath.IsLocal(cfg.Root) {
		return nil, fmt.Errorf("root %q is no folder of an input root", cfg.Root)
	}
	if cfg.Outputs == 0 {
		cfg.Outputs = 16 << 30
	}
	build, err := os.OpenRoot(cfg.BuildDir)
	if err != nil {
		return nil, fmt.Errorf("open build directory: %w", err)
	}
	s := &Server{cfg: cfg, build: build}
	if s.empty, err = os.MkdirTemp("", "kvfarm-root"); err == nil {
		err = errors.Join(os.Chmod(s.empty, 0o755), mountPoints(s.empty))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make an empty root: %w", err), s.Close())
	}
	return s, nil
}

// Close removes what New made.
func (s *Server) Close() error { return errors.Join(s.build.Close(), os.RemoveAll(s.empty)) }

// CheckReadiness implements the service: both sides must mean the same folder.
func (s *Server) CheckReadiness(_ context.Context, req *runnerpb.CheckReadinessRequest) (*emptypb.Empty, error) {
	if _, err := s.build.Stat(req.Path); err != nil {
		return nil, status.Errorf(codes.Unavailable, "build directory %s is not the worker's: %v", s.cfg.BuildDir, err)
	}
	return &emptypb.Empty{}, nil
}

// errNoRoot says that an action came to the wrong runner.
var errNoRoot = errors.New("action does not bring the root that platform property kvfarm-root names")

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
	case errors.Is(err, sandbox.ErrTooMuch), errors.Is(err, errNoRoot):
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	s.cfg.Log.Error("command did not run", "folder", req.InputRootDirectory, "error", err)
	return nil, status.Error(codes.Unavailable, err.Error())
}

// check looks for paths that lead out, or that overlayfs would take for more
// than one.
func check(req *runnerpb.RunRequest) error {
	if len(req.Arguments) == 0 || req.Arguments[0] == "" {
		return errors.New("command has no program")
	}
	for _, p := range []string{req.InputRootDirectory, req.StdoutPath, req.StderrPath, req.TemporaryDirectory, path.Join(".", req.WorkingDirectory)} {
		if !filepath.IsLocal(p) {
			return fmt.Errorf("path %q leads out of its folder", p)
		}
	}
	if strings.ContainsAny(req.InputRootDirectory, `:,\`) {
		return fmt.Errorf("input root %q: a name with one of : , \\ cannot be mounted", req.InputRootDirectory)
	}
	return nil
}

func (s *Server) run(ctx context.Context, req *runnerpb.RunRequest) (*runnerpb.RunResponse, error) {
	root, err := s.prepare(req)
	if err != nil {
		return nil, fmt.Errorf("prepare input root: %w", err)
	}
	spec := sandbox.Spec{Root: root, Dir: s.cfg.BuildDir, Layers: []string{req.InputRootDirectory}, Argv: req.Arguments,
		WorkDir: req.WorkingDirectory, Memory: s.cfg.Memory, Settles: true}
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
	left, err := s.cfg.Host.Run(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer left.Close()
	if err := left.Settle(filepath.Join(s.cfg.BuildDir, req.InputRootDirectory), s.cfg.Outputs); err != nil {
		return nil, err
	}
	return response(left), nil
}

func (s *Server) create(name string) (*os.File, error) {
	return s.build.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
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

// prepare takes the root out of an input root and returns where it is. What is
// left gets the owner and the modes that it has on our own workers.
func (s *Server) prepare(req *runnerpb.RunRequest) (root string, err error) {
	if s.cfg.Root != "" {
		inside, aside := path.Join(req.InputRootDirectory, s.cfg.Root), path.Join(req.TemporaryDirectory, "kvfarm-root")
		if info, err := s.build.Lstat(inside); err != nil || !info.IsDir() {
			return "", fmt.Errorf("%w: folder %s", errNoRoot, s.cfg.Root)
		}
		if err := s.build.Rename(inside, aside); err != nil {
			return "", err
		}
		root = filepath.Join(s.cfg.BuildDir, aside)
		if err := mountPoints(root); err != nil {
			return "", err
		}
	} else {
		root = s.empty
	}
	return root, s.give(req.InputRootDirectory)
}

// mountPoints makes the folders that the sandbox mounts something on.
func mountPoints(root string) error {
	for _, name := range sandbox.MountPoints {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// give lets the command write over its inputs, as it may on our own workers.
// bb_worker links files that it keeps for other actions into an input root;
// they are safe, since the sandbox shows the command a layer above them and
// Settle writes none in place.
func (s *Server) give(inputs string) error {
	uid, gid, can := s.cfg.Host.Owner()
	return fs.WalkDir(s.build.FS(), inputs, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if can {
			if err := s.build.Lchown(at, uid, gid); err != nil {
				return err
			}
		}
		info, err := e.Info()
		if err != nil || e.Type()&fs.ModeSymlink != 0 {
			return err
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		if info.Mode().Perm() == mode {
			return nil
		}
		return s.build.Chmod(at, mode)
	})
}
