package lease

import (
	"fmt"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/queue"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

func toProperties(ps []queue.Property) []*repb.Platform_Property {
	var out []*repb.Platform_Property
	for _, p := range ps {
		out = append(out, &repb.Platform_Property{Name: p.Name, Value: p.Value})
	}
	return out
}

func fromProperties(ps []*repb.Platform_Property) []queue.Property {
	var out []queue.Property
	for _, p := range ps {
		out = append(out, queue.Property{Name: p.GetName(), Value: p.GetValue()})
	}
	return out
}

func toLease(l *queue.Lease) *kvfarmpb.TakeResponse {
	t := &kvfarmpb.Task{
		InstanceName:   l.Task.Instance,
		ActionDigest:   l.Task.Action.Proto(),
		DoNotCache:     l.Task.DoNotCache,
		Properties:     toProperties(l.Task.Platform),
		Priority:       l.Task.Priority,
		Tool:           l.Task.Origin.Tool,
		Invocation:     l.Task.Origin.Invocation,
		What:           l.Task.Origin.What,
		Traceparent:    l.Task.Origin.Trace,
		DigestFunction: l.Task.Action.Function.Proto(),
	}
	if l.Task.Timeout != 0 {
		t.Timeout = durationpb.New(l.Task.Timeout)
	}
	return &kvfarmpb.TakeResponse{Lease: l.ID, Operation: l.Name, Task: t, Attempt: int32(l.Attempt),
		Queued: timestamppb.New(l.Queued), Ttl: durationpb.New(l.TTL)}
}

func fromLease(p *kvfarmpb.TakeResponse) (*queue.Lease, error) {
	d, err := fromDigest(p.GetTask().GetActionDigest(), p.GetTask().GetDigestFunction())
	if err != nil {
		return nil, fmt.Errorf("lease %q: %w", p.Lease, err)
	}
	return &queue.Lease{
		ID:      p.Lease,
		Name:    p.Operation,
		Attempt: int(p.Attempt),
		Queued:  p.Queued.AsTime(),
		TTL:     p.Ttl.AsDuration(),
		Task: queue.Task{
			Instance:   p.Task.InstanceName,
			Action:     d,
			DoNotCache: p.Task.DoNotCache,
			Platform:   fromProperties(p.Task.Properties),
			Priority:   p.Task.Priority,
			Timeout:    p.Task.Timeout.AsDuration(),
			Origin:     queue.Origin{Tool: p.Task.Tool, Invocation: p.Task.Invocation, What: p.Task.What, Trace: p.Task.Traceparent},
		},
	}, nil
}

// stages and kinds pair our names with the wire's. What is unknown becomes
// the zero value: no news, and a fault.
var (
	stages = map[queue.Stage]kvfarmpb.Stage{
		queue.Fetching:  kvfarmpb.Stage_STAGE_FETCHING,
		queue.Running:   kvfarmpb.Stage_STAGE_RUNNING,
		queue.Uploading: kvfarmpb.Stage_STAGE_UPLOADING,
	}
	stagesBack = inverse(stages)

	kinds = map[queue.Kind]kvfarmpb.Failure_Kind{
		queue.Fault:     kvfarmpb.Failure_KIND_FAULT,
		queue.Lost:      kvfarmpb.Failure_KIND_LOST,
		queue.Timeout:   kvfarmpb.Failure_KIND_TIMEOUT,
		queue.Missing:   kvfarmpb.Failure_KIND_MISSING,
		queue.Invalid:   kvfarmpb.Failure_KIND_INVALID,
		queue.Cancelled: kvfarmpb.Failure_KIND_CANCELLED,
		queue.Returned:  kvfarmpb.Failure_KIND_RETURNED,
	}
	kindsBack = inverse(kinds)
)

func inverse[K, V comparable](m map[K]V) map[V]K {
	out := make(map[V]K, len(m))
	for k, v := range m {
		out[v] = k
	}
	return out
}

func toOutcome(id string, o *queue.Outcome) *kvfarmpb.CompleteRequest {
	req := &kvfarmpb.CompleteRequest{Lease: id, Result: o.Result, Message: o.Message}
	if f := o.Failure; f != nil {
		req.Failure = &kvfarmpb.Failure{Kind: kinds[f.Kind], Reason: f.Reason}
		for _, d := range f.Missing {
			req.Failure.Missing = append(req.Failure.Missing, d.Proto())
			req.Failure.MissingFunctions = append(req.Failure.MissingFunctions, d.Function.Proto())
		}
	}
	return req
}

func fromOutcome(req *kvfarmpb.CompleteRequest) (*queue.Outcome, error) {
	o := &queue.Outcome{Result: req.Result, Message: req.Message}
	f := req.Failure
	if f == nil {
		if req.Result == nil {
			return nil, fmt.Errorf("complete lease %q: neither a result nor a failure", req.Lease)
		}
		return o, nil
	}
	o.Failure = &queue.Failure{Kind: kindsBack[f.Kind], Reason: f.Reason}
	functions := f.MissingFunctions
	if len(functions) == 0 {
		functions = make([]repb.DigestFunction_Value, len(f.Missing))
	}
	if len(functions) != len(f.Missing) {
		return nil, fmt.Errorf("complete lease %q: %d missing blobs and %d digest functions", req.Lease, len(f.Missing), len(functions))
	}
	for i, p := range f.Missing {
		d, err := fromDigest(p, functions[i])
		if err != nil {
			return nil, fmt.Errorf("complete lease %q: missing blob: %w", req.Lease, err)
		}
		o.Failure.Missing = append(o.Failure.Missing, d)
	}
	return o, nil
}

// fromDigest reads a digest with its function.
func fromDigest(p *repb.Digest, v repb.DigestFunction_Value) (digest.Digest, error) {
	f, err := digest.FunctionFromProto(v)
	if err != nil {
		return digest.Digest{}, err
	}
	return f.FromProto(p)
}
