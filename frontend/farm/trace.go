package farm

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// tracer does nothing unless the program has spans sent somewhere.
var tracer = otel.Tracer("github.com/kvfarm/kvfarm/frontend/farm")

// describe says on an action's span how it ended.
func describe(span trace.Span, e Event) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attribute.String("kvfarm.action", e.Action.String()))
	if e.Err != nil {
		span.SetStatus(codes.Error, e.Err.Error())
		return
	}
	span.SetAttributes(attribute.Bool("kvfarm.cached", e.Cached), attribute.Int("kvfarm.exit_code", e.ExitCode),
		attribute.String("kvfarm.worker", e.Worker))
}
