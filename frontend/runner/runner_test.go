package runner_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/executor/inplace"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
	"github.com/kvfarm/kvfarm/frontend/grpctest"
	"github.com/kvfarm/kvfarm/frontend/runner"
	runnerpb "github.com/kvfarm/kvfarm/proto/buildbarn/runner"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// rig is a runner, and a build directory with one input root as bb_worker lays
// it out: the root in root, and a file that is shared with bb_worker's cache.
type rig struct {
	t      *testing.T
	client runnerpb.RunnerClient
	build  string
	shared string // has an inode in common with input in/a
}

func start(t *testing.T, change func(*inplace.Config)) *rig {
	t.Helper()
	r := &rig{t: t, build: t.TempDir(), shared: filepath.Join(t.TempDir(), "shared")}
	cfg := inplace.Config{Dir: r.build, Root: "root", Host: sandboxtest.Open(t, sandbox.Config{Dir: r.build})}
	if change != nil {
		change(&cfg)
	}
	in, err := inplace.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	server := grpc.NewServer()
	runnerpb.RegisterRunnerServer(server, runner.New(in, slog.New(slog.DiscardHandler)))
	conn := grpctest.Connect(t, server, grpctest.Buffer)
	r.client = runnerpb.NewRunnerClient(conn)
	r.lay()
	return r
}

// lay makes the input root, with owners and modes as bb_worker has them.
func (r *rig) lay() {
	r.t.Helper()
	program, err := sandboxtest.Build()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, dir := range []string{"a/root/root/bin", "a/root/in", "a/tmp", "a/server_logs"} {
		if err := os.MkdirAll(filepath.Join(r.build, dir), 0o755); err != nil {
			r.t.Fatal(err)
		}
	}
	r.write(r.shared, "in/a", 0o444)
	r.write(filepath.Join(r.build, "a/root/actor"), string(program), 0o555)
	for old, name := range map[string]string{r.shared: "a/root/in/a", filepath.Join(r.build, "a/root/actor"): "a/root/root/bin/actor"} {
		if err := os.Link(old, filepath.Join(r.build, name)); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) write(name, body string, mode os.FileMode) {
	r.t.Helper()
	if err := os.WriteFile(name, []byte(body), mode); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) read(name string) string {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.build, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// request is what bb_worker sends.
func request(argv ...string) *runnerpb.RunRequest {
	return &runnerpb.RunRequest{Arguments: argv, InputRootDirectory: "a/root", StdoutPath: "a/stdout", StderrPath: "a/stderr",
		TemporaryDirectory: "a/tmp", ServerLogsDirectory: "a/server_logs", EnvironmentVariables: map[string]string{"PATH": "/bin"}}
}

func (r *rig) run(req *runnerpb.RunRequest) (*runnerpb.RunResponse, error) {
	return r.client.Run(r.t.Context(), req)
}

// TestRun has one command look around and change things.
func TestRun(t *testing.T) {
	r := start(t, nil)
	req := request("actor", "sequence", "env", ",", "ls", "/x", ",", "append", "in/a", " and more", ",", "write", "out/file", "made", ",", "remove", "actor", ",", "exit", "42")
	req.EnvironmentVariables["A"] = "1"
	if err := os.Mkdir(filepath.Join(r.build, "a/root/out"), 0o755); err != nil { // as for each output's parent
		t.Fatal(err)
	}
	got, err := r.run(req)
	if err != nil {
		t.Fatal(err)
	}
	if got.ExitCode != 42 {
		t.Errorf("exit code %d, want 42", got.ExitCode)
	}
	want := strings.Join([]string{"A=1", "PATH=/bin", "/x", "/x/actor", "/x/in", "/x/in/a", "/x/out", ""}, "\n")
	if diff := cmp.Diff(want, r.read("a/stdout")); diff != "" {
		t.Errorf("stdout (-want +got)\n%s", diff)
	}
	if a, out := r.read("a/root/in/a"), r.read("a/root/out/file"); a != "in/a and more" || out != "made" {
		t.Errorf("it left %q and %q", a, out)
	}
	if _, err := os.Stat(filepath.Join(r.build, "a/root/actor")); !os.IsNotExist(err) {
		t.Errorf("what it removed: %v", err)
	}
	if b, err := os.ReadFile(r.shared); err != nil || string(b) != "in/a" {
		t.Errorf("the worker's cache now has %q, %v", b, err)
	}
	usage := &kvfarmpb.ResourceUsage{}
	if len(got.ResourceUsage) != 1 || got.ResourceUsage[0].UnmarshalTo(usage) != nil || usage.PeakMemoryBytes == 0 {
		t.Errorf("usage is %v", got.ResourceUsage)
	}
}

// TestEmptyRoot runs a static program of the input root, as proofs are.
func TestEmptyRoot(t *testing.T) {
	r := start(t, func(c *inplace.Config) { c.Root = "" })
	got, err := r.run(request("./actor", "sequence", "ls", "/bin", ",", "cat", "in/a"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("/bin lstat /bin: no such file or directory\nin/a", r.read("a/stdout")); diff != "" || got.ExitCode != 0 {
		t.Errorf("exit code %d, stdout (-want +got)\n%s%s", got.ExitCode, diff, r.read("a/stderr"))
	}
}

// TestTimeout holds that what a command wrote before it ran out of time is kept.
func TestTimeout(t *testing.T) {
	r := start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // time runs out once the command has said something
		for ctx.Err() == nil && r.said() == "" {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	if _, err := r.client.Run(ctx, request("actor", "deaf", "1h")); status.Code(err) != codes.Canceled {
		t.Errorf("a command that would run for an hour: %v", err)
	}
	if got := r.said(); got != "deaf\n" {
		t.Errorf("stdout is %q", got)
	}
}

func (r *rig) said() string {
	b, _ := os.ReadFile(filepath.Join(r.build, "a/stdout")) // not there at first
	return string(b)
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		config func(*inplace.Config)
		change func(*runnerpb.RunRequest)
		want   codes.Code
		says   string
	}{
		"no program":      {change: func(r *runnerpb.RunRequest) { r.Arguments = nil }, want: codes.InvalidArgument, says: "no program"},
		"inputs outside":  {change: func(r *runnerpb.RunRequest) { r.InputRootDirectory = "../a" }, want: codes.InvalidArgument, says: "leads out"},
		"stdout outside":  {change: func(r *runnerpb.RunRequest) { r.StdoutPath = "/etc/motd" }, want: codes.InvalidArgument, says: "leads out"},
		"folder outside":  {change: func(r *runnerpb.RunRequest) { r.WorkingDirectory = "../.." }, want: codes.InvalidArgument, says: "leads out"},
		"colon":           {change: func(r *runnerpb.RunRequest) { r.InputRootDirectory = "a:b" }, want: codes.InvalidArgument, says: "cannot be mounted"},
		"no root":         {config: func(c *inplace.Config) { c.Root = "other" }, want: codes.InvalidArgument, says: "kvfarm-root"},
		"too much":        {config: func(c *inplace.Config) { c.Outputs = 1 }, want: codes.InvalidArgument, says: "over the limit"},
		"no such inputs":  {change: func(r *runnerpb.RunRequest) { r.InputRootDirectory = "b/root" }, want: codes.InvalidArgument, says: "kvfarm-root"},
		"stdout is there": {change: func(r *runnerpb.RunRequest) { r.StdoutPath = "a/root/in/a" }, want: codes.Unavailable, says: "make stdout"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, c.config)
			req := request("actor", "write", "out", "made")
			if c.change != nil {
				c.change(req)
			}
			if _, err := r.run(req); status.Code(err) != c.want || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %v with %q", err, c.want, c.says)
			}
		})
	}
}

func TestReadiness(t *testing.T) {
	r := start(t, nil)
	if _, err := r.client.CheckReadiness(t.Context(), &runnerpb.CheckReadinessRequest{Path: "a"}); err != nil {
		t.Error(err)
	}
	if _, err := r.client.CheckReadiness(t.Context(), &runnerpb.CheckReadinessRequest{Path: "b"}); status.Code(err) != codes.Unavailable {
		t.Errorf("another build directory is ready: %v", err)
	}
}

// TestUnprivileged runs the other tests as a user without privileges, who has
// the modes of the worker's files changed, but not their owners.
func TestUnprivileged(t *testing.T) {
	sandboxtest.Unprivileged(t, "^(TestRun|TestEmptyRoot|TestTimeout|TestRefused|TestReadiness)$")
}

// TestNoOverlay holds that a runner that could not tell outputs from inputs
// does not begin.
func TestNoOverlay(t *testing.T) {
	build := t.TempDir()
	_, err := inplace.New(inplace.Config{Dir: build, Host: sandboxtest.Open(t, sandbox.Config{Dir: build, Copy: true})})
	if err == nil || !strings.Contains(err.Error(), "overlayfs") {
		t.Error(err)
	}
}
