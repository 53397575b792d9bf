package worker

import (
	"syscall"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

var errNotDir = syscall.ENOTDIR

// stamp completes r's metadata with what is known at the end.
func (j *job) stamp(r *repb.ActionResult, left *sandbox.Result) {
	now := timestamppb.Now()
	j.times.OutputUploadCompletedTimestamp = now
	j.times.WorkerCompletedTimestamp = now
	j.times.VirtualExecutionDuration = durationpb.New(left.Wall)
	usage, err := anypb.New(&kvfarmpb.ResourceUsage{
		UserTime:        durationpb.New(left.Usage.User),
		SystemTime:      durationpb.New(left.Usage.System),
		PeakMemoryBytes: left.Usage.Peak,
	})
	if err == nil { // it is of our own making
		j.times.AuxiliaryMetadata = []*anypb.Any{usage}
	}
	r.ExecutionMetadata = &j.times
}
