package rev2

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
)

// traceparent names the caller's span as the W3C's header of that name does, ""
// if there is none. Without traces of its own the server passes on what it got.
func traceparent(ctx context.Context) string {
	var format propagation.TraceContext
	if !trace.SpanContextFromContext(ctx).IsValid() {
		got := propagation.MapCarrier{}
		for _, v := range metadata.ValueFromIncomingContext(ctx, "traceparent") {
			got.Set("traceparent", v)
		}
		ctx = format.Extract(ctx, got) // what is malformed stays out
	}
	out := propagation.MapCarrier{}
	format.Inject(ctx, out)
	return out.Get("traceparent")
}
