package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	rpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

type change = func(*repb.Action, *repb.Command)

func skipCache(r *repb.ExecuteRequest) { r.SkipCacheLookup = true }

func doNotCache(a *repb.Action, _ *repb.Command) { a.DoNotCache = true }

func result(c *client, d digest.Digest) (*repb.ActionResult, error) {
	return c.ac.GetActionResult(c.t.Context(), &repb.GetActionResultRequest{DigestFunction: c.by.Proto(), ActionDigest: d.Proto()})
}

// A result one of whose outputs was damaged on disk is a miss, though the
// result is intact, and the action runs again.
func resultIsComplete(c *client) {
	state := c.t.TempDir()
	p := spawn(c.t, "serve", "--listen", "127.0.0.1:0", "--state", state, "--workers", "1")
	own := c.connect(p.addr)
	content := "content of a file inside a tree " + strings.Repeat("x", 5000)
	d := own.act([]string{"sequence", "mkdir", "out/deep", ",", "write", "out/deep/f", content},
		func(_ *repb.Action, c *repb.Command) { c.OutputPaths = []string{"out"} })
	own.run(d)
	if _, err := result(own, d); err != nil {
		c.t.Fatal(err)
	}
	p.kill()
	overwrite(c.t, state, content)
	own = c.connect(spawn(c.t, "serve", "--listen", "127.0.0.1:0", "--state", state, "--workers", "1").addr)
	_, err := own.read(readOf(c.by.Of([]byte(content))))
	wantCode(c.t, "damaged file", err, codes.DataLoss)
	_, err = result(own, d)
	wantCode(c.t, "result without the file", err, codes.NotFound)
	if resp := own.run(d); resp.CachedResult {
		c.t.Error("the action did not run again")
	}
	if _, err := result(own, d); err != nil {
		c.t.Errorf("after that: %v", err)
	}
	_, err = own.ac.UpdateActionResult(c.t.Context(), &repb.UpdateActionResultRequest{DigestFunction: c.by.Proto(), ActionDigest: d.Proto(), ActionResult: &repb.ActionResult{}})
	wantCode(c.t, "update by a client", err, codes.PermissionDenied)
}

// overwrite damages what a store's packs have of content: the last that was written, for commands may say it too.
func overwrite(t testing.TB, state, content string) {
	t.Helper()
	packs, err := filepath.Glob(filepath.Join(state, "store", "packs", "*.pack"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range packs {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.LastIndex(string(b), content); i >= 0 {
			found++
			b[i+len(content)/2] ^= 1
			if err := os.WriteFile(name, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if found == 0 {
		t.Fatal("content is in no pack")
	}
}

func executeLooksIntoTheCache(c *client) {
	d := c.act([]string{"echo", "once"})
	if first := c.run(d); first.CachedResult {
		c.t.Error("first run is from the cache")
	}
	if again := c.run(d); !again.CachedResult || c.stdout(again) != "once\n" {
		c.t.Errorf("second run: %v", again)
	}
	lost := func(s string) *repb.Digest { return c.by.Of([]byte("never uploaded " + s)).Proto() }
	root := c.putProto(&repb.Directory{Files: []*repb.FileNode{{Name: "f", Digest: lost("file")}}})
	_, err := c.execute(c.putProto(&repb.Action{CommandDigest: lost("command"), InputRootDigest: root.Proto()}))
	c.wantMissing(err, lost("command"), lost("file"))
	_, err = c.execute(c.by.Of([]byte("never uploaded action")))
	c.wantMissing(err, lost("action"))
}

func (c *client) wantMissing(err error, want ...*repb.Digest) {
	c.t.Helper()
	wantCode(c.t, "missing blobs", err, codes.FailedPrecondition)
	subjects := map[string]bool{}
	for _, detail := range rpcstatus.Convert(err).Details() {
		for _, v := range detail.(*errdetails.PreconditionFailure).Violations {
			subjects[v.Type+" "+v.Subject] = true
		}
	}
	for _, p := range want {
		d, err := c.by.FromProto(p)
		if err != nil || !subjects["MISSING blobs/"+d.String()] {
			c.t.Errorf("%v is not named in %v", p, subjects)
		}
	}
	if len(subjects) != len(want) {
		c.t.Errorf("named %v, want %v", subjects, want)
	}
}

// That no operation carries an error is checked for each that comes.
func errorsStandInTheResponse(c *client) {
	resp := c.run(c.act([]string{"exit", "7"}))
	if resp.GetStatus().GetCode() != 0 || resp.Result.ExitCode != 7 {
		c.t.Errorf("exit code: %v", resp)
	}
	never := c.act([]string{"fifo", "out"}, func(_ *repb.Action, c *repb.Command) { c.OutputPaths = []string{"out"} })
	for range 2 { // an error is not cached
		if resp := c.run(never); resp.CachedResult || codes.Code(resp.GetStatus().GetCode()) != codes.InvalidArgument {
			c.t.Errorf("an output that cannot be: %v", resp)
		}
	}
	_, err := result(c, never)
	wantCode(c.t, "result of it", err, codes.NotFound)
}

func metadataOfEveryOperation(c *client) {
	d := c.act([]string{"nothing"})
	for range 2 { // run, and cached
		stream, err := c.submit(d)
		if err != nil {
			c.t.Fatal(err)
		}
		for {
			op, err := stream.Recv()
			if err != nil {
				break
			}
			meta := &repb.ExecuteOperationMetadata{}
			if err := op.Metadata.UnmarshalTo(meta); err != nil {
				c.t.Fatal(err)
			}
			if !proto.Equal(meta.ActionDigest, d.Proto()) || meta.DigestFunction != c.by.Proto() || meta.Stage == repb.ExecutionStage_UNKNOWN ||
				(meta.Stage == repb.ExecutionStage_COMPLETED) != op.Done {
				c.t.Errorf("metadata %v, done %t", meta, op.Done)
			}
		}
	}
}

func waitExecution(c *client) {
	p := spawn(c.t, "serve", "--listen", "127.0.0.1:0", "--state", c.t.TempDir()) // no workers: nothing moves
	own := c.connect(p.addr)
	stream, err := own.submit(own.act([]string{"nothing"}))
	if err != nil {
		c.t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil {
		c.t.Fatal(err)
	}
	again, err := own.exec.WaitExecution(c.t.Context(), &repb.WaitExecutionRequest{Name: first.Name})
	if err != nil {
		c.t.Fatal(err)
	}
	if now, err := again.Recv(); err != nil || now.Name != first.Name {
		c.t.Errorf("present state: %v, %v", now, err)
	}
	none, err := own.exec.WaitExecution(c.t.Context(), &repb.WaitExecutionRequest{Name: "none"})
	if err == nil {
		_, err = none.Recv()
	}
	wantCode(c.t, "unknown name", err, codes.NotFound)
	p.signal(c.t, syscall.SIGTERM)
	_, _, err = own.follow(again)
	wantCode(c.t, "on shutdown", err, codes.Unavailable)
}

func limit(d time.Duration) change {
	return func(a *repb.Action, _ *repb.Command) { a.Timeout = durationpb.New(d) }
}

func timeout(c *client) {
	d := c.act([]string{"sequence", "echo", "partial", ",", "sleep", "1h"}, limit(300*time.Millisecond))
	resp := c.run(d)
	if codes.Code(resp.GetStatus().GetCode()) != codes.DeadlineExceeded || string(resp.Result.GetStdoutRaw()) != "partial\n" {
		c.t.Errorf("too slow: %v", resp)
	}
	_, err := result(c, d)
	wantCode(c.t, "result of it", err, codes.NotFound)
	_, err = c.execute(c.act([]string{"nothing"}, limit(1000*time.Hour)))
	wantCode(c.t, "above the maximum", err, codes.InvalidArgument)
	_, err = c.execute(c.act([]string{"nothing"}, limit(-time.Second)))
	wantCode(c.t, "negative", err, codes.InvalidArgument)
}

// A server is told what an action may take that does not say, and what others
// may ask for.
func TestTimeoutsOfTheServer(t *testing.T) {
	t.Parallel()
	c := connect(t, spawnFarm(t, "--slots", "1", "--action_timeout", "500ms", "--max_action_timeout", "40h").addr)
	for name, change := range map[string]change{"unset": func(*repb.Action, *repb.Command) {}, "zero": limit(0)} {
		resp := c.run(c.act([]string{"sleep", "1h"}, change))
		if codes.Code(resp.GetStatus().GetCode()) != codes.DeadlineExceeded {
			t.Errorf("%s: %v", name, resp)
		}
	}
	c.stdout(c.run(c.act([]string{"sequence", "sleep", "600ms", ",", "echo"}, limit(30*time.Hour))))
	_, err := c.execute(c.act([]string{"nothing"}, limit(41*time.Hour)))
	wantCode(t, "above the maximum", err, codes.InvalidArgument)
}

// Time in the queue does not count: the action waits for a worker for longer
// than it may run. Nor does fetching, over a slow line.
func TestQueueingIsNoTimeout(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	server := spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir())
	c := connect(t, server.addr)
	input := castest.Bytes(16, 4<<20)
	if _, err := c.upload("uploads/"+uploadID+"/blobs/"+digest.Of(input).String(), input); err != nil {
		t.Fatal(err)
	}
	const may = 2 * time.Second
	stream, err := c.submit(c.act([]string{"echo", "late"}, limit(may), func(a *repb.Action, _ *repb.Command) {
		a.InputRootDigest = c.root(tree.Files{"in": {Digest: digest.Of(input)}}).Proto()
	}))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(may)
	line := newLink(t, server.addr)
	line.slow(1 << 20)
	startWorker(t, "grpc://"+line.addr)
	_, resp, err := c.follow(stream)
	if err != nil || c.stdout(resp) != "late\n" {
		t.Fatalf("%v, %v", resp, err)
	}
	m := resp.Result.ExecutionMetadata
	if queued, fetched := m.WorkerStartTimestamp.AsTime().Sub(m.QueuedTimestamp.AsTime()), m.InputFetchCompletedTimestamp.AsTime().Sub(m.InputFetchStartTimestamp.AsTime()); queued <= may || fetched <= may {
		t.Errorf("queued for %v, fetched for %v: nothing is shown by that", queued, fetched)
	}
}

// names submits an action four times at once and returns the operations.
func (c *client) names(d digest.Digest, change ...func(*repb.ExecuteRequest)) map[string]bool {
	c.t.Helper()
	names := map[string]bool{}
	for range 4 {
		stream, err := c.submit(d, change...)
		if err != nil {
			c.t.Fatal(err)
		}
		op, err := stream.Recv()
		if err != nil {
			c.t.Fatal(err)
		}
		names[op.Name] = true
	}
	return names
}

func merging(c *client) {
	own := c.connect(spawn(c.t, "serve", "--listen", "127.0.0.1:0", "--state", c.t.TempDir()).addr) // nothing moves
	if n := own.names(own.act([]string{"nothing"})); len(n) != 1 {
		c.t.Errorf("identical actions run %d times", len(n))
	}
	if n := own.names(own.act([]string{"nothing"}), skipCache); len(n) != 1 {
		c.t.Errorf("identical actions that skip the lookup run %d times", len(n))
	}
	if n := own.names(own.act([]string{"nothing"}, doNotCache)); len(n) != 4 {
		c.t.Errorf("do_not_cache: %d runs of 4", len(n))
	}
	forced := c.act([]string{"echo", "forced"})
	first := c.run(forced)
	again := c.run(forced, skipCache)
	if r, err := result(c, forced); again.CachedResult || err != nil || proto.Equal(first.Result, again.Result) || !proto.Equal(r, again.Result) {
		c.t.Errorf("skip_cache_lookup does not execute and overwrite: %v, then %v, kept is %v, %v", first, again, r, err)
	}
	d := c.act([]string{"echo", "uncached"}, doNotCache)
	for range 2 {
		if resp := c.run(d); resp.CachedResult {
			c.t.Error("do_not_cache is cached")
		}
	}
	_, err := result(c, d)
	wantCode(c.t, "do_not_cache: result", err, codes.NotFound)
}

func outputs(c *client) {
	acts := []string{"sequence", "write", "a/b/file", "made", ",", "mkdir", "dir/sub", ",", "write", "dir/sub/f", "in dir", ",", "symlink", "nowhere", "link"}
	resp := c.run(c.act(acts, func(_ *repb.Action, cmd *repb.Command) {
		cmd.OutputPaths = []string{"a/b/file", "dir", "link", "never/made"}
		//lint:ignore SA1019 of v2.0, to be overridden
		cmd.OutputFiles = []string{"dir/sub/f"}
		cmd.OutputDirectoryFormat = 99
	}))
	r := resp.Result
	if len(r.GetOutputFiles()) != 1 || r.OutputFiles[0].Path != "a/b/file" || string(c.blob(r.OutputFiles[0].Digest)) != "made" {
		c.t.Errorf("files %v, stderr %q", r.GetOutputFiles(), r.GetStderrRaw())
	}
	if len(r.GetOutputSymlinks()) != 1 || r.OutputSymlinks[0].Target != "nowhere" {
		c.t.Errorf("links %v", r.GetOutputSymlinks())
	}
	if len(r.GetOutputDirectories()) != 1 || r.OutputDirectories[0].RootDirectoryDigest != nil {
		c.t.Fatalf("directories %v", r.GetOutputDirectories())
	}
	made := &repb.Tree{}
	if err := proto.Unmarshal(c.blob(r.OutputDirectories[0].TreeDigest), made); err != nil || len(made.Root.GetDirectories()) != 1 {
		c.t.Errorf("tree %v, %v", made, err)
	}
	resp = c.run(c.act([]string{"symlink", "nowhere", "old"}, func(_ *repb.Action, cmd *repb.Command) {
		//lint:ignore SA1019 clients of v2.0 use it
		cmd.OutputFiles = []string{"old"}
	}))
	//lint:ignore SA1019 clients of v2.0 look at it
	if links := resp.Result.OutputFileSymlinks; len(links) != 1 || links[0].Target != "nowhere" {
		c.t.Errorf("links for v2.0: %v", resp.Result)
	}
	resp = c.run(c.act([]string{"symlink", ".", "dir"}, func(_ *repb.Action, cmd *repb.Command) {
		//lint:ignore SA1019 clients of v2.0 use it
		cmd.OutputDirectories = []string{"dir"}
	}))
	//lint:ignore SA1019 clients of v2.0 look at it
	if links := resp.Result.OutputDirectorySymlinks; len(links) != 1 || links[0].Target != "." {
		c.t.Errorf("links to folders for v2.0: %v", resp.Result)
	}
}

func workingDirectory(c *client) {
	in := func(_ *repb.Action, cmd *repb.Command) {
		cmd.WorkingDirectory = "work/dir"
		cmd.Arguments[0] = "actor"
		cmd.EnvironmentVariables = []*repb.Command_EnvironmentVariable{{Name: "PATH", Value: "/nowhere:/bin"}}
		cmd.OutputPaths = []string{"out"}
		//lint:ignore SA1019 clients before v2.2 set it here alone
		cmd.Platform = &repb.Platform{Properties: []*repb.Platform_Property{{Name: "moon", Value: "full"}}}
	}
	resp := c.run(c.act([]string{"sequence", "write", "out", "here", ",", "ls", "../.."}, in))
	if got := c.stdout(resp); !strings.Contains(got, "work/dir/out\n") {
		c.t.Errorf("input root holds %s", got)
	}
	if f := resp.Result.OutputFiles; len(f) != 1 || f[0].Path != "out" {
		c.t.Errorf("outputs %v", f)
	}
	_, err := c.execute(c.act([]string{"nothing"}, func(a *repb.Action, cmd *repb.Command) { in(a, cmd); a.Platform = nil }))
	wantCode(c.t, "unknown property in the command, where the action has none", err, codes.InvalidArgument)
}

func inliningAndMetadata(c *client) {
	failing := c.run(c.act([]string{"cat", strings.Repeat("none/", 800) + strings.Repeat("n", 200)}), func(r *repb.ExecuteRequest) { r.InlineStderr = true })
	if n := len(failing.Result.GetStderrRaw()); n < 4<<10 || int64(n) != failing.Result.StderrDigest.GetSizeBytes() {
		c.t.Errorf("inlined %d bytes of stderr of %v", n, failing.Result.StderrDigest)
	}
	d := c.act([]string{"sequence", "spam", "5000", ",", "write", "out", "text"}, func(_ *repb.Action, cmd *repb.Command) { cmd.OutputPaths = []string{"out"} })
	resp := c.run(d, func(r *repb.ExecuteRequest) { r.InlineStdout, r.InlineOutputFiles = true, []string{"out"} })
	if n := len(resp.Result.StdoutRaw); n != 5000 || string(resp.Result.OutputFiles[0].Contents) != "text" {
		c.t.Errorf("inlined %d bytes of stdout, file %q", n, resp.Result.OutputFiles[0].Contents)
	}
	m := resp.Result.ExecutionMetadata
	times := []interface{ AsTime() time.Time }{m.QueuedTimestamp, m.WorkerStartTimestamp, m.InputFetchStartTimestamp, m.InputFetchCompletedTimestamp,
		m.ExecutionStartTimestamp, m.ExecutionCompletedTimestamp, m.OutputUploadStartTimestamp, m.OutputUploadCompletedTimestamp, m.WorkerCompletedTimestamp}
	for i := range times {
		if times[i].AsTime().Unix() == 0 || i > 0 && times[i].AsTime().Before(times[i-1].AsTime()) {
			c.t.Errorf("time %d of %v is unset or too early", i, m)
		}
	}
	if m.Worker == "" {
		c.t.Error("no worker is named")
	}
	huge := c.run(c.act([]string{"spam", "20000000"}), func(r *repb.ExecuteRequest) { r.InlineStdout = true })
	if len(huge.Result.StdoutRaw) > 4<<20 || huge.Result.StdoutDigest == nil {
		c.t.Errorf("%d bytes inlined: more than a message takes", len(huge.Result.StdoutRaw))
	}
	_, err := c.execute(c.act([]string{"nothing"}, func(_ *repb.Action, cmd *repb.Command) { cmd.OutputNodeProperties = []string{"mtime"} }))
	wantCode(c.t, "unknown node property", err, codes.InvalidArgument)
}

func seesWhatItDeclares(c *client) {
	if env := strings.TrimSpace(c.stdout(c.run(c.act([]string{"env"})))); env != "" {
		c.t.Errorf("environment %q", env)
	}
	if resp := c.run(c.act([]string{"dial", "127.0.0.1:1"})); resp.Result.ExitCode == 0 || !strings.Contains(string(resp.Result.StderrRaw), "refused") {
		c.t.Errorf("loopback of the host: %v", resp.Result)
	}
	if resp := c.run(c.act([]string{"dial", "192.0.2.1:80"})); !strings.Contains(string(resp.Result.StderrRaw), "unreachable") {
		c.t.Errorf("network: %v", resp.Result)
	}
	file := c.by.Of([]byte("pristine"))
	c.put([]byte("pristine"))
	with := func(a *repb.Action, _ *repb.Command) {
		a.InputRootDigest, a.DoNotCache = c.root(tree.Files{"in": {Digest: file}}).Proto(), true
	}
	long := fmt.Sprint(time.Hour + time.Duration(time.Now().UnixNano())%time.Hour) // nobody else sleeps for just as long
	c.run(c.act([]string{"sequence", "chmod", "in", ",", "append", "in", "poison", ",", "spawn", "sleep", long}, with))
	if left := processesWith(c.t, long); len(left) > 0 {
		c.t.Errorf("after the action there is %q", left)
	}
	if got := c.stdout(c.run(c.act([]string{"cat", "in"}, with))); got != "pristine" {
		c.t.Errorf("input after another action's write: %q", got)
	}
	if got := string(c.blob(file.Proto())); got != "pristine" {
		c.t.Errorf("blob after an action's write: %q", got)
	}
	listed := c.stdout(c.run(c.act([]string{"ls", "/proc"}, with)))
	if got := regexp.MustCompile(`(?m)^/proc/\d+$`).FindAllString(listed, -1); len(got) != 2 {
		c.t.Errorf("processes %q, want process 1 and the command", got)
	}
}

// processesWith are the processes of this machine that were given arg.
func processesWith(t testing.TB, arg string) (found []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Fatalf("list processes: %d, %v", len(lines), err)
	}
	for _, name := range lines {
		if b, err := os.ReadFile(name); err == nil && slices.Contains(strings.Split(string(b), "\x00"), arg) { // else it has ended
			found = append(found, name)
		}
	}
	return found
}

// startWorker starts a worker of one slot.
func startWorker(t testing.TB, farm string) *process {
	t.Helper()
	return spawn(t, "worker", "--farm", farm, "--slots", "1", "--state", t.TempDir())
}
