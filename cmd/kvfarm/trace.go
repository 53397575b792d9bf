package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// traceFlush is how long an ending command waits for its collector.
const traceFlush = 5 * time.Second

// traces reports whether OpenTelemetry's standard variables ask for traces. By
// those the exporter configures itself, too.
func traces() bool {
	if os.Getenv("OTEL_SDK_DISABLED") == "true" || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false
	}
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// startTraces has spans of a service of that name sent to a collector, if that is
// asked for, until stop is called. The context it returns is within the trace of whoever called us,
// if TRACEPARENT says so, as CI systems do.
func startTraces(ctx context.Context, service string) (context.Context, func(), error) {
	if !traces() {
		return ctx, func() {}, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"} {
		if p := os.Getenv(name); p != "" && p != "grpc" {
			return ctx, nil, fmt.Errorf("%s=%s: traces are sent by grpc alone", name, p)
		}
	}
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return ctx, nil, fmt.Errorf("start traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", service)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithProcessPID(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return ctx, nil, fmt.Errorf("start traces: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	var once sync.Once // a collector that is down is told of, not once a batch
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		once.Do(func() { fmt.Fprintln(os.Stderr, "kvfarm: traces are lost:", err) })
	}))
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	stop := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceFlush)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			otel.Handle(err)
		}
	}
	carrier := propagation.MapCarrier{"traceparent": os.Getenv("TRACEPARENT"), "tracestate": os.Getenv("TRACESTATE")}
	return propagation.TraceContext{}.Extract(ctx, carrier), stop, nil
}

// traceDial and traceServe have calls traced on either side. Without traces
// they cost nothing.
func traceDial() []grpc.DialOption {
	if !traces() {
		return nil
	}
	return []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithFilter(telling)))}
}

func traceServe() []grpc.ServerOption {
	if !traces() {
		return nil
	}
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithFilter(telling)))}
}

// untold are services whose calls have no spans: how workers ask for work and say
// that they live belongs to nobody's trace, and of a trace in which ten thousand
// files are fetched one by one, the spans that tell of actions were dropped for want
// of room in the exporter's queue. What moving blobs took is told by whatever had
// them moved, and by the metrics.
var untold = map[string]bool{
	kvfarmpb.Lease_ServiceDesc.ServiceName:                 true,
	repb.ContentAddressableStorage_ServiceDesc.ServiceName: true,
	"google.bytestream.ByteStream":                         true,
}

// telling reports whether a call has a span.
func telling(info *stats.RPCTagInfo) bool {
	service, _, _ := strings.Cut(strings.TrimPrefix(info.FullMethodName, "/"), "/")
	return !untold[service]
}
