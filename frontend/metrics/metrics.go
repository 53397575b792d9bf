// Package metrics shows what a farm's server does to Prometheus, and to those
// who ask over HTTP whether it lives and whether it is ready.
package metrics

import (
	"context"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// Farm counts calls. Its figures stand in a registry of its own.
type Farm struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec

	// For the page.
	begun        time.Time
	queue        *queue.Queue // nil: none
	amounts      []amount
	hits, misses atomic.Int64
}

// amount is a number of bytes that is asked for when somebody looks.
type amount struct {
	help  string
	bytes func() (int64, error)
}

// New returns a Farm with the figures of the process.
func New() *Farm {
	f := &Farm{
		registry: prometheus.NewRegistry(),
		begun:    time.Now(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kvfarm_calls_total",
			Help: "Calls that have ended, by method and gRPC code."}, []string{"method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "kvfarm_call_seconds",
			Help: "How long calls took, from the first message to the status.", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 10)}, []string{"method"}),
	}
	f.registry.MustRegister(f.calls, f.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return f
}

// Queue adds the figures of a queue.
func (f *Farm) Queue(q *queue.Queue) {
	f.queue = q
	f.registry.MustRegister(queueCollector{q})
}

// Bytes adds a number of bytes that is asked for when somebody looks.
func (f *Farm) Bytes(name, help string, bytes func() (int64, error)) {
	f.amounts = append(f.amounts, amount{help, bytes})
	f.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
		n, err := bytes()
		if err != nil {
			return -1 // no amount
		}
		return float64(n)
	}))
}

// Options have a server's calls counted.
func (f *Farm) Options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			begin := time.Now()
			resp, err := next(ctx, req)
			f.count(info.FullMethod, begin, err)
			return resp, err
		}),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			begin := time.Now()
			err := next(srv, stream)
			f.count(info.FullMethod, begin, err)
			return err
		}),
	}
}

func (f *Farm) count(method string, begin time.Time, err error) {
	if method == repb.ActionCache_GetActionResult_FullMethodName {
		switch status.Code(err) {
		case codes.OK:
			f.hits.Add(1)
		case codes.NotFound:
			f.misses.Add(1)
		}
	}
	f.calls.WithLabelValues(method, status.Code(err).String()).Inc()
	f.seconds.WithLabelValues(method).Observe(time.Since(begin).Seconds())
}

// Handler answers /metrics, /healthz (the process lives), /readyz (it takes
// work: ready says so), and / with a page for people.
func (f *Farm) Handler(ready func() bool) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { f.page(w, ready()) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("alive\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
	return mux
}

// AddProfiles adds those of this process, to find out what it spends its time on.
func AddProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // heap, goroutine, and the like
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

// queueCollector reads a queue whenever somebody looks.
type queueCollector struct{ queue *queue.Queue }

var (
	operations = prometheus.NewDesc("kvfarm_operations", "Operations by stage; done ones are kept for a while.", []string{"stage"}, nil)
	idle       = prometheus.NewDesc("kvfarm_idle_slots", "Slots of workers that wait for work.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c queueCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- operations
	ch <- idle
}

// Collect implements prometheus.Collector.
func (c queueCollector) Collect(ch chan<- prometheus.Metric) {
	counts := c.queue.Counts()
	for stage, n := range counts.Stages {
		ch <- prometheus.MustNewConstMetric(operations, prometheus.GaugeValue, float64(n), queue.Stage(stage).String())
	}
	ch <- prometheus.MustNewConstMetric(idle, prometheus.GaugeValue, float64(counts.Idle))
}
