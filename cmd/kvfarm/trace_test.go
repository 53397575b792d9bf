package main

import (
	"context"
	"encoding/hex"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// spans is a collector: it keeps spans by their trace.
type spans struct {
	coltrace.UnimplementedTraceServiceServer
	mu  sync.Mutex
	all map[string][]span
}

// span is a name, and what is said of it: attributes, with those of its service.
type span struct {
	name string
	says map[string]string
}

// Export implements the collector's one call.
func (s *spans) Export(_ context.Context, req *coltrace.ExportTraceServiceRequest) (*coltrace.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range req.ResourceSpans {
		for _, scope := range r.ScopeSpans {
			for _, span := range scope.Spans {
				id := hex.EncodeToString(span.TraceId)
				s.all[id] = append(s.all[id], newSpan(span.Name, r.Resource.Attributes, span.Attributes))
			}
		}
	}
	return &coltrace.ExportTraceServiceResponse{}, nil
}

func newSpan(name string, attributes ...[]*common.KeyValue) span {
	s := span{name, map[string]string{}}
	for _, a := range slices.Concat(attributes...) {
		s.says[a.Key] = a.Value.GetStringValue()
		if n, ok := a.Value.GetValue().(*common.AnyValue_IntValue); ok {
			s.says[a.Key] = strconv.FormatInt(n.IntValue, 10)
		}
	}
	return s
}

// of returns what a trace has, by names.
func (s *spans) of(id string) map[string]span {
	s.mu.Lock()
	defer s.mu.Unlock()
	byName := map[string]span{}
	for _, span := range s.all[id] {
		byName[span.name] = span
	}
	return byName
}

func startCollector(t *testing.T) (*spans, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &spans{all: map[string][]span{}}
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
	who, err := proto.Marshal(&repb.RequestMetadata{ToolDetails: &repb.ToolDetails{ToolName: "bazel", ToolVersion: "7"},
		ToolInvocationId: "one", ActionMnemonic: "Genrule", TargetId: "//a:b"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-"+id+"-b7ad6b7169203331-01",
		"build.bazel.remote.execution.v2.requestmetadata-bin", string(who))
	action := c.act([]string{"nothing"}).Proto()
	stream, err := c.exec.Execute(ctx, &repb.ExecuteRequest{ActionDigest: action})
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
	trace := got.of(id)
	for name, service := range map[string]string{"build.bazel.remote.execution.v2.Execution/Execute": "kvfarm-serve",
		"queue": "kvfarm-worker", "execute": "kvfarm-worker", "fetch": "kvfarm-worker", "run": "kvfarm-worker", "upload": "kvfarm-worker"} {
		if s := trace[name]; s.says["service.name"] != service {
			t.Errorf("the trace has %q of service %q, want %q", name, s.says["service.name"], service)
		}
	}
	for key, want := range map[string]string{"kvfarm.action": action.Hash + "/" + strconv.FormatInt(action.SizeBytes, 10), "kvfarm.what": "Genrule //a:b",
		"kvfarm.tool": "bazel 7", "kvfarm.invocation": "one", "kvfarm.exit_code": "0", "kvfarm.attempt": "1"} {
		if got := trace["execute"].says[key]; got != want {
			t.Errorf("the action's span has %s=%q, want %q", key, got, want)
		}
	}
	for name := range trace { // waiting for work, and thousands of files, would hide what is told of the action
		if strings.Contains(name, "Lease/") || strings.Contains(name, "ByteStream") || strings.Contains(name, "ContentAddressable") {
			t.Errorf("the trace has %q", name)
		}
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
	if trace := got.of(id); len(trace) != 1 || trace["kvfarm cache stat"].says["service.name"] != "kvfarm-cache-stat" {
		t.Errorf("spans %v", trace)
	}
	if out, err := run("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"); err != nil || !strings.Contains(out, "traces are lost") {
		t.Errorf("without a collector: %v: %s", err, out)
	}
	if out, err := run(env, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"); err == nil || !strings.Contains(out, "by grpc alone") {
		t.Errorf("another protocol: %v: %s", err, out)
	}
}
