package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	rpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// process is a kvfarm of its own.
type process struct {
	cmd  *exec.Cmd
	addr string // of a server
	log  *lockedBuffer
	gone chan struct{} // closed when it has ended
}

// lockedBuffer is what a process has said so far.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) add(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.WriteString(line)
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.add(string(p))
	return len(p), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// started is what a server or worker says when it is ready.
var started = regexp.MustCompile(`serving on ([^,]+),|works for (\S+)`)

// spawn starts kvfarm and waits until it is ready. A failed test shows what it said.
func spawn(t testing.TB, args ...string) *process {
	t.Helper()
	return spawnWith(t, []string{"XDG_CACHE_HOME=" + t.TempDir()}, args...)
}

// spawnWith does the same in another environment.
func spawnWith(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command("kvfarm", args...), log: &lockedBuffer{}, gone: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	pipe, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go p.listen(pipe, ready)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("kvfarm %s:\n%s", strings.Join(args, " "), p.log)
		}
	})
	select {
	case p.addr = <-ready:
	case <-p.gone:
		t.Fatalf("kvfarm %s ended: %s", strings.Join(args, " "), p.log)
	}
	return p
}

func (p *process) listen(pipe io.Reader, ready chan<- string) {
	defer close(p.gone)
	r := bufio.NewReader(pipe)
	for {
		line, err := r.ReadString('\n')
		p.log.add(line)
		if m := started.FindStringSubmatch(line); m != nil {
			select {
			case ready <- m[1]:
			default:
			}
		}
		if err != nil {
			_ = p.cmd.Wait() // it was killed, or says why in its log
			return
		}
	}
}

// kill ends the process as a power failure would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.gone
}

func (p *process) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// client is a connection to a server in another process.
type client struct {
	t     testing.TB
	by    digest.Function // of all that it sends and asks for
	caps  repb.CapabilitiesClient
	cas   repb.ContentAddressableStorageClient
	bytes bspb.ByteStreamClient
	ac    repb.ActionCacheClient
	exec  repb.ExecutionClient
	ops   longrunning.OperationsClient
	conn  *grpc.ClientConn
}

func connect(t testing.TB, addr string) *client {
	t.Helper()
	if strings.HasPrefix(addr, "/") {
		addr = "unix:" + addr
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20), grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t: t, conn: conn, caps: repb.NewCapabilitiesClient(conn), cas: repb.NewContentAddressableStorageClient(conn),
		bytes: bspb.NewByteStreamClient(conn), ac: repb.NewActionCacheClient(conn), exec: repb.NewExecutionClient(conn),
		ops: longrunning.NewOperationsClient(conn)}
}

// connect returns a client of another server that is like c.
func (c *client) connect(addr string) *client {
	other := connect(c.t, addr)
	other.by = c.by
	return other
}

// spawnFarm starts a server with a worker. Where sandboxes are refused it skips.
func spawnFarm(t testing.TB, args ...string) *process {
	t.Helper()
	sandboxtest.Open(t, sandbox.Config{})
	return spawn(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--state", t.TempDir(), "--workers", "1"}, args...)...)
}

// serveFarm is a client of a server with a worker of two slots.
func serveFarm(t testing.TB) *client {
	t.Helper()
	return connect(t, spawnFarm(t, "--slots", "2").addr)
}

// socket is an address that a server can come back to.
func socket(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "farm") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return "unix:" + filepath.Join(dir, "s")
}

func wantCode(t testing.TB, what string, err error, want codes.Code) {
	t.Helper()
	if got := rpcstatus.Code(err); got != want {
		t.Errorf("%s: code %v (%v), want %v", what, got, err, want)
	}
}

// put stores a small blob.
func (c *client) put(b []byte) digest.Digest {
	c.t.Helper()
	d := c.by.Of(b)
	resp, err := c.cas.BatchUpdateBlobs(c.t.Context(), &repb.BatchUpdateBlobsRequest{DigestFunction: c.by.Proto(),
		Requests: []*repb.BatchUpdateBlobsRequest_Request{{Digest: d.Proto(), Data: b}}})
	if err != nil || resp.Responses[0].Status.GetCode() != 0 {
		c.t.Fatalf("put %v: %v, %v", d, resp, err)
	}
	return d
}

func (c *client) putProto(m proto.Message) digest.Digest {
	c.t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.put(b)
}

// upload streams b into the store.
func (c *client) upload(name string, b []byte) (*bspb.WriteResponse, error) {
	c.t.Helper()
	w, err := c.bytes.Write(c.t.Context())
	if err != nil {
		return nil, err
	}
	const piece = 64 << 10
	for off := 0; off == 0 || off < len(b); off += piece {
		end := min(off+piece, len(b))
		if w.Send(&bspb.WriteRequest{ResourceName: name, WriteOffset: int64(off), Data: b[off:end], FinishWrite: end == len(b)}) != nil {
			break // the answer tells
		}
	}
	return w.CloseAndRecv()
}

func (c *client) read(req *bspb.ReadRequest) ([]byte, error) {
	c.t.Helper()
	stream, err := c.bytes.Read(c.t.Context(), req)
	if err != nil {
		return nil, err
	}
	var all []byte
	for {
		resp, err := stream.Recv()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, resp.Data...)
	}
}

// blob returns a stored blob.
func (c *client) blob(p *repb.Digest) []byte {
	c.t.Helper()
	d, err := c.by.FromProto(p)
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := c.read(&bspb.ReadRequest{ResourceName: "blobs/" + d.String()})
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// root stores files beside a root with the actor in it, and returns the tree.
func (c *client) root(files tree.Files) digest.Digest {
	c.t.Helper()
	program, err := sandboxtest.Build()
	if err != nil {
		c.t.Fatal(err)
	}
	d := c.by.Of(program)
	if _, err := c.upload("uploads/"+uploadID+"/blobs/"+d.String(), program); err != nil {
		c.t.Fatal(err)
	}
	all := tree.Files{"root/bin/actor": {Digest: d, Exec: true}}
	for name, e := range files {
		all[name] = e
	}
	m, err := tree.BuildBy(c.by, all)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, dir := range m.Dirs {
		c.put(dir)
	}
	return m.Root
}

const uploadID = "0e37c8f2-5b7c-4c2e-8f43-6d2f0f1d3a11"

// act stores an action in which the actor plays; change may make another one of it.
func (c *client) act(args []string, change ...func(*repb.Action, *repb.Command)) digest.Digest {
	c.t.Helper()
	command := &repb.Command{Arguments: append([]string{"/bin/actor"}, args...)}
	action := &repb.Action{InputRootDigest: c.root(nil).Proto(),
		Platform: &repb.Platform{Properties: []*repb.Platform_Property{{Name: "kvfarm-root", Value: "root"}}}}
	for _, f := range change {
		f(action, command)
	}
	if action.CommandDigest == nil {
		action.CommandDigest = c.putProto(command).Proto()
	}
	return c.putProto(action)
}

// run executes an action to its end.
func (c *client) run(d digest.Digest, change ...func(*repb.ExecuteRequest)) *repb.ExecuteResponse {
	c.t.Helper()
	resp, err := c.execute(d, change...)
	if err != nil {
		c.t.Fatalf("execute %v: %v", d, err)
	}
	return resp
}

func (c *client) execute(d digest.Digest, change ...func(*repb.ExecuteRequest)) (*repb.ExecuteResponse, error) {
	c.t.Helper()
	stream, err := c.submit(d, change...)
	if err != nil {
		return nil, err
	}
	_, resp, err := c.follow(stream)
	return resp, err
}

func (c *client) submit(d digest.Digest, change ...func(*repb.ExecuteRequest)) (repb.Execution_ExecuteClient, error) {
	req := &repb.ExecuteRequest{DigestFunction: c.by.Proto(), ActionDigest: d.Proto()}
	for _, f := range change {
		f(req)
	}
	return c.exec.Execute(c.t.Context(), req)
}

// follow reads operations to the end and checks what holds for every one.
func (c *client) follow(stream grpc.ServerStreamingClient[longrunning.Operation]) (name string, resp *repb.ExecuteResponse, err error) {
	c.t.Helper()
	for {
		op, err := stream.Recv()
		if err == io.EOF && resp == nil {
			c.t.Error("the stream ends with OK before the operation is done")
		}
		if err == io.EOF {
			return name, resp, nil
		}
		if err != nil {
			return name, resp, err
		}
		if name != "" && name != op.Name {
			c.t.Errorf("operation %q is now %q", name, op.Name)
		}
		name = op.Name
		c.checkOperation(op)
		if op.Done {
			resp = &repb.ExecuteResponse{}
			if err := op.GetResponse().UnmarshalTo(resp); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

func (c *client) checkOperation(op *longrunning.Operation) {
	c.t.Helper()
	meta := &repb.ExecuteOperationMetadata{}
	if err := op.Metadata.UnmarshalTo(meta); err != nil {
		c.t.Fatalf("metadata: %v", err)
	}
	if meta.ActionDigest == nil || (meta.Stage == repb.ExecutionStage_COMPLETED) != op.Done {
		c.t.Errorf("done is %t with metadata %v", op.Done, meta)
	}
	if op.GetError() != nil {
		c.t.Errorf("operation has an error: %v", op.GetError())
	}
}

// stdout is what an action that ran well has said.
func (c *client) stdout(resp *repb.ExecuteResponse) string {
	c.t.Helper()
	r := resp.GetResult()
	if resp.GetStatus().GetCode() != 0 || r.GetExitCode() != 0 {
		c.t.Fatalf("exit code %d, status %v, stderr %q", r.GetExitCode(), resp.GetStatus(), r.GetStderrRaw())
	}
	if r.StdoutDigest != nil {
		return string(c.blob(r.StdoutDigest))
	}
	return string(r.StdoutRaw)
}

func readOf(d digest.Digest) *bspb.ReadRequest {
	return &bspb.ReadRequest{ResourceName: "blobs/" + d.String()}
}

// message reads a stored message.
func (c *client) message(p *repb.Digest, m proto.Message) {
	c.t.Helper()
	if err := proto.Unmarshal(c.blob(p), m); err != nil {
		c.t.Fatal(err)
	}
}
