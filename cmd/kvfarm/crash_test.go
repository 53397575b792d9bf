package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	rpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// acknowledged is what a server has said it holds.
type acknowledged struct {
	mu      sync.Mutex
	blobs   map[digest.Digest][]byte
	results map[digest.Digest]*repb.ActionResult
}

// TestServerKilledUnderWrites kills a server while clients write and run
// actions, and starts it again, twenty times: whatever a client was told is
// there, byte for byte.
func TestServerKilledUnderWrites(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 4
	}
	killUnderWrites(t, rounds)
}

// TestLazyServerKilledUnderWrites: no flush is needed for that.
func TestLazyServerKilledUnderWrites(t *testing.T) {
	killUnderWrites(t, 4, "--durability", "process")
}

func killUnderWrites(t *testing.T, rounds int, flags ...string) {
	t.Helper()
	sandboxtest.Open(t, sandbox.Config{})
	state, addr := t.TempDir(), socket(t)
	all := &acknowledged{blobs: map[digest.Digest][]byte{}, results: map[digest.Digest]*repb.ActionResult{}}
	random := rand.New(rand.NewPCG(1, 2))
	for round := range rounds {
		p := spawn(t, append([]string{"serve", "--listen", addr, "--state", state, "--workers", "1", "--slots", "2"}, flags...)...)
		c := connect(t, addr)
		all.check(c)
		fresh := &acknowledged{blobs: map[digest.Digest][]byte{}, results: map[digest.Digest]*repb.ActionResult{}}
		root := c.root(nil)
		var load sync.WaitGroup
		for client := range 3 {
			seed := uint64(round)<<32 | uint64(client)<<24
			load.Go(func() { fresh.write(c, seed) })
			load.Go(func() { fresh.stream(c, seed|1<<20) })
		}
		load.Go(func() { fresh.act(c, root, round) })
		for blobs, results := 20+random.IntN(200), 1+random.IntN(4); !fresh.has(blobs, results); {
			time.Sleep(time.Millisecond)
		}
		p.kill()
		load.Wait()
		maps.Copy(all.blobs, fresh.blobs)
		maps.Copy(all.results, fresh.results)
	}
	spawn(t, "serve", "--listen", addr, "--state", state)
	all.check(connect(t, addr))
	t.Logf("%d kills, %d blobs and %d results acknowledged and found", rounds, len(all.blobs), len(all.results))
}

func (a *acknowledged) has(blobs, results int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.blobs) >= blobs && len(a.results) >= results
}

// write puts batches until the server is gone.
func (a *acknowledged) write(c *client, seed uint64) {
	for ; ; seed += 10 {
		req := &repb.BatchUpdateBlobsRequest{}
		for i := range uint64(10) {
			b := castest.Bytes(seed+i, int(seed+i)%5000)
			req.Requests = append(req.Requests, &repb.BatchUpdateBlobsRequest_Request{Digest: digest.Of(b).Proto(), Data: b})
		}
		resp, err := c.cas.BatchUpdateBlobs(c.t.Context(), req)
		if err != nil {
			return
		}
		a.mu.Lock()
		for i, r := range resp.Responses {
			if r.Status.GetCode() == 0 {
				a.blobs[digest.Of(req.Requests[i].Data)] = req.Requests[i].Data
			}
		}
		a.mu.Unlock()
	}
}

// stream writes larger blobs until the server is gone.
func (a *acknowledged) stream(c *client, seed uint64) {
	for ; ; seed++ {
		b := castest.Bytes(seed, 300<<10+int(seed)%1000)
		d := digest.Of(b)
		if _, err := c.upload("uploads/"+uploadID+"/blobs/"+d.String(), b); err != nil {
			return
		}
		a.mu.Lock()
		a.blobs[d] = b
		a.mu.Unlock()
	}
}

// act runs actions until the server is gone.
func (a *acknowledged) act(c *client, root digest.Digest, round int) {
	for i := 0; ; i++ {
		command, _ := proto.Marshal(&repb.Command{Arguments: []string{"/bin/actor", "echo", fmt.Sprint(round, i)}})
		action, _ := proto.Marshal(&repb.Action{CommandDigest: digest.Of(command).Proto(), InputRootDigest: root.Proto(),
			Platform: &repb.Platform{Properties: []*repb.Platform_Property{{Name: "kvfarm-root", Value: "root"}}}})
		d := digest.Of(action)
		_, err := c.cas.BatchUpdateBlobs(c.t.Context(), &repb.BatchUpdateBlobsRequest{Requests: []*repb.BatchUpdateBlobsRequest_Request{
			{Digest: digest.Of(command).Proto(), Data: command}, {Digest: d.Proto(), Data: action}}})
		if err != nil {
			return
		}
		stream, err := c.exec.Execute(c.t.Context(), &repb.ExecuteRequest{ActionDigest: d.Proto()})
		if err != nil {
			return
		}
		_, resp, err := c.follow(stream)
		if err != nil {
			return
		}
		a.mu.Lock()
		a.results[d] = resp.Result
		a.mu.Unlock()
	}
}

// check asks the server for all that it has acknowledged.
func (a *acknowledged) check(c *client) {
	c.t.Helper()
	for d, want := range a.blobs {
		if got := c.blob(d.Proto()); !bytes.Equal(got, want) {
			c.t.Fatalf("blob %v reads as %d other bytes", d, len(got))
		}
	}
	for d, want := range a.results {
		got, err := result(c, d)
		if err != nil || !proto.Equal(got, want) {
			c.t.Fatalf("result of %v is %v, %v, want %v", d, got, err, want)
		}
	}
}

// running waits until an operation's command runs, and returns its name and worker.
func (c *client) running(stream repb.Execution_ExecuteClient) (name, worker string) {
	c.t.Helper()
	for {
		op, err := stream.Recv()
		if err != nil {
			c.t.Fatal(err)
		}
		meta := &repb.ExecuteOperationMetadata{}
		if err := op.Metadata.UnmarshalTo(meta); err != nil {
			c.t.Fatal(err)
		}
		if meta.PartialExecutionMetadata.GetExecutionStartTimestamp() != nil {
			return op.Name, meta.PartialExecutionMetadata.Worker
		}
	}
}

func (c *client) start(d digest.Digest) repb.Execution_ExecuteClient {
	c.t.Helper()
	stream, err := c.submit(d)
	if err != nil {
		c.t.Fatal(err)
	}
	return stream
}

// wait takes up an operation again, over restarts, to its end.
func (c *client) wait(name string) *repb.ExecuteResponse {
	c.t.Helper()
	for {
		var resp *repb.ExecuteResponse
		stream, err := c.exec.WaitExecution(c.t.Context(), &repb.WaitExecutionRequest{Name: name}, grpc.WaitForReady(true))
		if err == nil {
			_, resp, err = c.follow(stream)
		}
		if err == nil {
			return resp
		}
		if rpcstatus.Code(err) != codes.Unavailable {
			c.t.Fatalf("wait for %s: %v", name, err)
		}
	}
}

// One action runs on a worker elsewhere, one waits behind it, one is done. The
// server is killed and comes back: the first is not begun again, none is lost.
func TestServerKilledWithOperations(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	state, addr := t.TempDir(), socket(t)
	p := spawn(t, "serve", "--listen", addr, "--state", state)
	startWorker(t, addr)
	c := connect(t, addr)
	done, resp, err := c.follow(c.start(c.act([]string{"exit", "3"})))
	if err != nil || resp.Result.ExitCode != 3 {
		t.Fatal(resp, err)
	}
	runs, _ := c.running(c.start(c.act([]string{"sequence", "sleep", "3s", ",", "exit", "4"})))
	waits, err := c.start(c.act([]string{"exit", "5"})).Recv()
	if err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	p.kill()
	spawn(t, "serve", "--listen", addr, "--state", state)
	for want, name := range map[int32]string{3: done, 4: runs, 5: waits.Name} {
		resp := c.wait(name)
		if resp.GetStatus().GetCode() != 0 || resp.Result.ExitCode != want {
			t.Errorf("operation with exit code %d ended with %v", want, resp)
		}
		if began := resp.Result.GetExecutionMetadata().GetExecutionStartTimestamp().AsTime(); began.After(killed) != (want == 5) {
			t.Errorf("exit code %d: began at %v, the server was killed at %v", want, began, killed)
		}
	}
}

// A worker that is gone, that hangs, or whom the network has cut off is noticed
// within ten seconds, and another one runs its action.
func TestLostWorker(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	for name, lose := range map[string]func(*testing.T, *process, *link){
		"killed":  func(_ *testing.T, p *process, _ *link) { p.kill() },
		"hung":    func(t *testing.T, p *process, _ *link) { p.signal(t, syscall.SIGSTOP) },
		"cut off": func(_ *testing.T, _ *process, l *link) { l.cut() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir())
			c := connect(t, server.addr)
			l := newLink(t, server.addr)
			first := spawn(t, "worker", "--farm", "grpc://"+l.addr, "--slots", "1", "--name", "first", "--state", t.TempDir())
			op, who := c.running(c.start(c.act([]string{"sleep", "2s"}, doNotCache)))
			if who != "first" {
				t.Fatalf("%s runs it", who)
			}
			lost := time.Now()
			lose(t, first, l)
			spawn(t, "worker", "--farm", "grpc://"+server.addr, "--slots", "1", "--name", "second", "--state", t.TempDir())
			resp := c.wait(op)
			m := resp.GetResult().GetExecutionMetadata()
			if m.GetWorker() != "second" || m.GetWorkerStartTimestamp().AsTime().Sub(lost) > 10*time.Second {
				t.Errorf("lost at %v, then: %v", lost, resp)
			}
			if name != "hung" {
				return
			}
			first.signal(t, syscall.SIGCONT) // what it comes to is too late
			first.wait(t, "operation="+op)
			if again := c.wait(op); !proto.Equal(again, resp) {
				t.Errorf("the outcome was %v and is %v", resp, again)
			}
		})
	}
}

// An action whose workers die is given up after three of them, by its name.
func TestPoison(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	server := spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir())
	c := connect(t, server.addr)
	d := c.act([]string{"sleep", "1h"})
	stream := c.start(d)
	var op string
	for i := range 3 {
		w := spawn(t, "worker", "--farm", "grpc://"+server.addr, "--slots", "1", "--name", fmt.Sprint("w", i), "--state", t.TempDir())
		op, _ = c.running(stream)
		w.kill()
	}
	resp := c.wait(op)
	if codes.Code(resp.GetStatus().GetCode()) != codes.Internal || !bytes.Contains([]byte(resp.Status.Message), []byte(d.String())) {
		t.Errorf("poison: %v", resp)
	}
}

// SIGTERM has a worker finish what it runs, or hand it back at once; that is no
// setback, and faster than a lease runs out.
func TestDrain(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	for _, test := range []struct{ grace, want string }{{"1m", "first"}, {"0", "second"}} {
		t.Run("grace "+test.grace, func(t *testing.T) {
			t.Parallel()
			addr := socket(t)
			spawn(t, "serve", "--listen", addr, "--state", t.TempDir())
			c := connect(t, addr)
			first := spawn(t, "worker", "--farm", addr, "--slots", "1", "--name", "first", "--grace", test.grace, "--state", t.TempDir())
			op, _ := c.running(c.start(c.act([]string{"sleep", "1s"}, doNotCache)))
			first.signal(t, syscall.SIGTERM)
			told := time.Now()
			spawn(t, "worker", "--farm", addr, "--slots", "1", "--name", "second", "--state", t.TempDir())
			resp := c.wait(op)
			m := resp.GetResult().GetExecutionMetadata()
			if m.GetWorker() != test.want || m.GetWorkerStartTimestamp().AsTime().Sub(told) > 4*time.Second {
				t.Errorf("told at %v: %v", told, resp)
			}
			<-first.gone
		})
	}
}

// SIGTERM to a server lets its own workers finish; what waits goes on at the
// next start.
func TestServerDrains(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	state, addr := t.TempDir(), socket(t)
	p := spawn(t, "serve", "--listen", addr, "--state", state, "--workers", "1", "--slots", "1")
	c := connect(t, addr)
	stream := c.start(c.act([]string{"sequence", "sleep", "1s", ",", "exit", "6"}))
	runs, _ := c.running(stream)
	waits, err := c.start(c.act([]string{"exit", "7"})).Recv()
	if err != nil {
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGTERM)
	if _, resp, err := c.follow(stream); err != nil || resp.Result.ExitCode != 6 {
		t.Errorf("what ran: %v, %v", resp, err)
	}
	<-p.gone
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if says := p.log.String(); !strings.Contains(says, `msg="asked to end" actions=1 grace=30s`) {
		t.Errorf("who looks on does not learn what it waits for:\n%s", says)
	}
	spawn(t, "serve", "--listen", addr, "--state", state, "--workers", "1")
	if resp := c.wait(runs); resp.Result.GetExitCode() != 6 {
		t.Errorf("what ran, after the restart: %v", resp)
	}
	if resp := c.wait(waits.Name); resp.Result.GetExitCode() != 7 {
		t.Errorf("what waited: %v", resp)
	}
}

// A full disk refuses writes and operations with a clear error; reads go on.
// With room again it recovers by itself, and nothing acknowledged is lost.
func TestFullDisk(t *testing.T) {
	state := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	need(t, "mount a tmpfs", syscall.Mount("tmpfs", state, "tmpfs", 0, "size=400m"))
	t.Cleanup(func() { _ = syscall.Unmount(state, syscall.MNT_DETACH) })
	filler := filepath.Join(state, "filler")
	if err := os.WriteFile(filler, make([]byte, 150<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := socket(t)
	p := spawn(t, "serve", "--listen", addr, "--state", state)
	c := connect(t, addr)
	held := &acknowledged{blobs: map[digest.Digest][]byte{}}
	put := func(seed uint64) error {
		b := castest.Bytes(seed, 4<<20)
		d := digest.Of(b)
		_, err := c.upload("uploads/"+uploadID+"/blobs/"+d.String(), b)
		if err == nil {
			held.blobs[d] = b
		}
		return err
	}
	var err error
	for seed := uint64(0); err == nil && seed < 100; seed++ {
		err = put(seed)
	}
	wantCode(t, "write to a full disk", err, codes.ResourceExhausted)
	held.check(c)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := put(1000); err != nil {
		t.Errorf("with room again: %v", err)
	}
	p.kill()
	spawn(t, "serve", "--listen", addr, "--state", state)
	held.check(c)
	t.Logf("%d blobs of 4 MiB held", len(held.blobs))
}
