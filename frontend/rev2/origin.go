package rev2

import (
	"context"
	"strings"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// metadataKey is the header in which clients say who they are.
const metadataKey = "build.bazel.remote.execution.v2.requestmetadata-bin"

// requestMetadata is what the caller says of itself, empty if it says nothing.
func requestMetadata(ctx context.Context) *repb.RequestMetadata {
	md := &repb.RequestMetadata{}
	for _, v := range metadata.ValueFromIncomingContext(ctx, metadataKey) {
		if proto.Unmarshal([]byte(v), md) == nil {
			return md
		}
	}
	return &repb.RequestMetadata{}
}

// origin is the caller as the queue and logs know it.
func origin(ctx context.Context) queue.Origin {
	md := requestMetadata(ctx)
	tool := strings.TrimSpace(md.GetToolDetails().GetToolName() + " " + md.GetToolDetails().GetToolVersion())
	what := strings.TrimSpace(md.GetActionMnemonic() + " " + md.GetTargetId())
	return queue.Origin{Tool: clip(tool), Invocation: clip(md.GetToolInvocationId()), What: clip(what), Trace: traceparent(ctx)}
}

// maxName bounds what a caller may have us remember of its name, in bytes.
const maxName = 128

func clip(s string) string { return s[:min(len(s), maxName)] }
