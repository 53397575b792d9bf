package metrics_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/frontend/grpctest"
	"github.com/kvfarm/kvfarm/frontend/metrics"
)

// TestProfiles holds that profiles are there for those who asked for them, and
// for nobody else.
func TestProfiles(t *testing.T) {
	status := func(h http.Handler, path string) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code
	}
	h := metrics.New().Handler(func() bool { return true })
	if got := status(h, "/debug/pprof/heap"); got != http.StatusNotFound {
		t.Errorf("status %d without profiles, want %d", got, http.StatusNotFound)
	}
	metrics.AddProfiles(h)
	for _, path := range []string{"/debug/pprof/heap", "/debug/pprof/", "/metrics", "/healthz", "/readyz"} {
		if got := status(h, path); got != http.StatusOK {
			t.Errorf("%s: status %d", path, got)
		}
	}
}

// TestPage: the page shows what waits, what runs, where and for whom, and how
// often the cache has helped; names come from anywhere.
func TestPage(t *testing.T) {
	f := metrics.New()
	q := queue.New(queue.Config{})
	defer q.Close()
	f.Queue(q)
	f.Bytes("kvfarm_store_bytes", "What content takes.", func() (int64, error) { return 3 << 30, nil })
	for _, content := range []string{"held", "waiting"} {
		w, err := q.Submit(queue.Task{Action: digest.Of([]byte(content)), Origin: queue.Origin{Tool: "bazel 7", Invocation: "<script>", What: "Genrule //a:b"}})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
	}
	if _, err := q.Lease(t.Context(), queue.Worker{Name: "worker & co"}); err != nil {
		t.Fatal(err)
	}
	call := grpcCall(t, f)
	call(nil)
	call(nil)
	call(status.Error(codes.NotFound, "no such result"))
	call(status.Error(codes.Unavailable, "ends"))
	ready := true
	h := f.Handler(func() bool { return ready })
	get := func() string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w.Body.String()
	}
	text := get()
	for _, want := range []string{
		">ready,", "<td>queued<td class=\"n\">1\n", "<td>fetching<td class=\"n\">1\n", ">2 of 3 (66 %)", "3 GiB", digest.Of([]byte("held")).String(),
		"<td>worker &amp; co<td class=\"n\">1\n", "<td>Genrule //a:b<td>bazel 7<td>&lt;script&gt;",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	ready = false
	if text := get(); !strings.Contains(text, "draining") {
		t.Errorf("a farm that drains shows\n%s", text)
	}
}

// grpcCall returns what counts a call of GetActionResult that ends so.
func grpcCall(t *testing.T, f *metrics.Farm) func(end error) {
	s := grpc.NewServer(f.Options()...)
	cache := &answers{}
	repb.RegisterActionCacheServer(s, cache)
	conn := grpctest.Connect(t, s, grpctest.Buffer)
	return func(end error) {
		cache.end = end
		_, err := repb.NewActionCacheClient(conn).GetActionResult(t.Context(), &repb.GetActionResultRequest{})
		if status.Code(err) != status.Code(end) {
			t.Errorf("call = %v, want %v", err, end)
		}
	}
}

// answers is an action cache that gives one answer to all.
type answers struct {
	repb.UnimplementedActionCacheServer
	end error
}

func (a *answers) GetActionResult(context.Context, *repb.GetActionResultRequest) (*repb.ActionResult, error) {
	return &repb.ActionResult{}, a.end
}
