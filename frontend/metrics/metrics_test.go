package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

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
