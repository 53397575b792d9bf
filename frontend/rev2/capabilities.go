package rev2

import (
	"context"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/bazelbuild/remote-apis/build/bazel/semver"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// GetCapabilities says what this server can do. Old fields are filled in too:
// clients of v2.0 read nothing else.
func (s *Server) GetCapabilities(ctx context.Context, req *repb.GetCapabilitiesRequest) (*repb.ServerCapabilities, error) {
	var functions []repb.DigestFunction_Value
	for _, f := range digest.Functions() {
		functions = append(functions, f.Proto())
	}
	zstd := []repb.Compressor_Value{repb.Compressor_IDENTITY, repb.Compressor_ZSTD}
	anyPriority := &repb.PriorityCapabilities{Priorities: []*repb.PriorityCapabilities_PriorityRange{
		{MinPriority: -1 << 31, MaxPriority: 1<<31 - 1}}}
	caps := &repb.ServerCapabilities{
		CacheCapabilities: &repb.CacheCapabilities{
			DigestFunctions:                 functions,
			ActionCacheUpdateCapabilities:   &repb.ActionCacheUpdateCapabilities{UpdateEnabled: s.mayUpdate(ctx, req.InstanceName)},
			CachePriorityCapabilities:       &repb.PriorityCapabilities{},
			MaxBatchTotalSizeBytes:          maxBatch,
			SymlinkAbsolutePathStrategy:     repb.SymlinkAbsolutePathStrategy_ALLOWED,
			SupportedCompressors:            zstd,
			SupportedBatchUpdateCompressors: zstd,
			SplitBlobSupport:                true,
			SpliceBlobSupport:               true,
			FastCdc_2020Params:              &repb.FastCdc2020Params{AvgChunkSizeBytes: chunkSize},
		},
		LowApiVersion:  &semver.SemVer{Major: 2},
		HighApiVersion: &semver.SemVer{Major: 2, Minor: 13},
	}
	if s.cfg.Queue != nil {
		caps.ExecutionCapabilities = &repb.ExecutionCapabilities{
			DigestFunction:                repb.DigestFunction_SHA256,
			DigestFunctions:               functions,
			ExecEnabled:                   true,
			ExecutionPriorityCapabilities: anyPriority,
		}
	}
	return caps, nil
}
