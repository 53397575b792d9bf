package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/kvfarm/kvfarm/frontend/metrics"
)

// monitor is how others look at a farm: gRPC's health service, and over HTTP
// metrics, liveness and readiness.
type monitor struct {
	health  *health.Server
	figures *metrics.Farm
}

func newMonitor() *monitor { return &monitor{health: health.NewServer(), figures: metrics.New()} }

// watch adds f's figures. From the moment that f is to stop it is not ready.
func (m *monitor) watch(f *localFarm) {
	healthpb.RegisterHealthServer(f.server, m.health)
	m.figures.Queue(f.queue)
	m.figures.Bytes("kvfarm_store_bytes", "What content takes on disk.", f.store.Content)
	m.figures.Bytes("kvfarm_store_free_bytes", "What the disk has left.", f.store.Free)
	context.AfterFunc(f.ctx, m.health.Shutdown)
}

func (m *monitor) ready() bool {
	resp, err := m.health.Check(context.Background(), &healthpb.HealthCheckRequest{})
	return err == nil && resp.Status == healthpb.HealthCheckResponse_SERVING
}

// serve answers on addr, if there is one, until f closes.
func (m *monitor) serve(f *localFarm, addr string, profiles bool) error {
	if addr == "" {
		if profiles {
			return errors.New("--pprof: --http says no address to serve profiles on")
		}
		return nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return listenError("http", addr, err)
	}
	f.log.Info("metrics and health", "http", l.Addr().String())
	handler := m.figures.Handler(m.ready)
	if profiles {
		metrics.AddProfiles(handler)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	f.group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	f.closers = append(f.closers, server.Close)
	return nil
}
