package worker

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// tracer does nothing unless the program has spans sent somewhere.
var tracer = otel.Tracer("github.com/kvfarm/kvfarm/executor/worker")

// attempt opens the span of one lease below whatever asked for its action. The
// time in the queue becomes a span as well, since nobody else sees all of it.
func attempt(ctx context.Context, l *queue.Lease, worker string) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": l.Task.Origin.Trace})
	_, queued := tracer.Start(ctx, "queue", trace.WithTimestamp(l.Queued))
	queued.End()
	return tracer.Start(ctx, "execute", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("kvfarm.action", l.Task.Action.String()),
		attribute.String("kvfarm.what", l.Task.Origin.What),
		attribute.String("kvfarm.tool", l.Task.Origin.Tool),
		attribute.String("kvfarm.invocation", l.Task.Origin.Invocation),
		attribute.String("kvfarm.operation", l.Name),
		attribute.String("kvfarm.worker", worker),
		attribute.Int("kvfarm.attempt", l.Attempt)))
}

// conclude says on an attempt's span what came of it. A command that failed is a
// result like any other.
func conclude(span trace.Span, o *queue.Outcome) {
	if o.Failure != nil {
		span.SetStatus(codes.Error, o.Failure.Error())
		return
	}
	span.SetAttributes(attribute.Int("kvfarm.exit_code", int(o.Result.GetExitCode())))
}

// phase runs one part of an attempt in a span of its own.
func phase[T any](ctx context.Context, name string, f func(context.Context) (T, error)) (T, error) {
	ctx, span := tracer.Start(ctx, name)
	defer span.End()
	v, err := f(ctx)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	return v, err
}
