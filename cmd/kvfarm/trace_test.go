package main

import (
	"context"
	"encoding/hex"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// spans is a collector: it keeps the names of spans by their trace.
type spans struct {
	coltrace.UnimplementedTraceServiceServer
	mu    sync.Mutex
	names map[string][]string
}

// Export implements the collector's one call.
func (s *spans) Export(_ context.Context, req *coltrace.ExportTraceServiceRequest) (*coltrace.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range req.ResourceSpans {
		for _, scope := range r.ScopeSpans {
			for _, span := range scope.Spans {
				id := hex.EncodeToString(span.TraceId)
				s.names[id] = append(s.names[id], span.Name)
			}
		}
	}
	return &coltrace.ExportTraceServiceResponse{}, nil
}

// of returns what a trace has.
func (s *spans) of(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.names[id])
}

func startCollector(t *testing.T) (*spans, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &spans{names: map[string][]string{}}
	g := grpc.NewServer()
	coltrace.RegisterTraceServiceServer(g, s)
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)
	return s, "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + l.Addr().String()
}

// A caller's trace goes on through server and queue to the worker's sandbox,
// in three processes.
func TestTraces(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	got, env := startCollector(t)
	with := []string{env, "XDG_CACHE_HOME=" + t.TempDir()}
	addr := socket(t)
	server := spawnWith(t, with, "serve", "--listen", addr, "--state", t.TempDir())
	w := spawnWith(t, with, "worker", "--farm", addr, "--slots", "1", "--state", t.TempDir())
	c := connect(t, addr)
	const id = "0af7651916cd43dd8448eb211c80319c"
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-"+id+"-b7ad6b7169203331-01")
	stream, err := c.exec.Execute(ctx, &repb.ExecuteRequest{ActionDigest: c.act([]string{"nothing"}).Proto()})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.follow(stream); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*process{w, server} { // what ends sends what it has
		p.signal(t, syscall.SIGTERM)
		<-p.gone
	}
	names := got.of(id)
	for _, want := range []string{"build.bazel.remote.execution.v2.Execution/Execute", "queue", "execute", "fetch", "run", "upload"} {
		if !slices.Contains(names, want) {
			t.Errorf("the trace has no span %q, only %q", want, names)
		}
	}
	if i := slices.IndexFunc(names, func(n string) bool { return strings.Contains(n, "Lease/") }); i >= 0 {
		t.Errorf("the trace has the worker's waiting: %q", names[i])
	}
}

// A command is a span, within the trace of whoever called it; a collector that
// is not there costs it neither its life nor its exit status.
func TestTracesOfCommands(t *testing.T) {
	t.Parallel()
	got, env := startCollector(t)
	const id = "1af7651916cd43dd8448eb211c80319c"
	state := t.TempDir()
	if err := os.Mkdir(storeDir(state), 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(extra ...string) (string, error) {
		cmd := exec.Command("kvfarm", "cache", "stat", "--state", state)
		cmd.Env = append(os.Environ(), extra...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(env, "TRACEPARENT=00-"+id+"-b7ad6b7169203331-01"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if names := got.of(id); !slices.Equal(names, []string{"kvfarm cache stat"}) {
		t.Errorf("spans %q", names)
	}
	if out, err := run("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"); err != nil || !strings.Contains(out, "traces are lost") {
		t.Errorf("without a collector: %v: %s", err, out)
	}
	if out, err := run(env, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"); err == nil || !strings.Contains(out, "by grpc alone") {
		t.Errorf("another protocol: %v: %s", err, out)
	}
}
