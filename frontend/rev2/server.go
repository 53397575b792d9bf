// Package rev2 serves a store, an action cache and a queue as the Remote
// Execution API, version 2. It translates; what is true is decided below it.
package rev2

import (
	"context"
	"log/slog"
	"time"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/executor/livelog"
	"github.com/kvfarm/kvfarm/executor/queue"
)

// Limits of what a client may send in one message.
const (
	maxBatch    = 4 << 20  // bytes of blobs in a batch call, as advertised
	maxMessage  = 64 << 20 // bytes of a gRPC message
	maxDigests  = 1 << 20  // digests in one FindMissingBlobs
	maxCommand  = 16 << 20 // bytes of an Action or Command message
	maxDirs     = 1 << 20  // directories of one input root
	maxInlining = 1 << 20  // bytes that are inlined into one ActionResult
	maxHeaders  = 64 << 10 // bytes of a call's headers
	maxStreams  = 4096     // calls at a time on one connection
)

// Config says what a Server serves.
type Config struct {
	Store cas.Store
	Cache cas.ActionCache
	// Queue runs actions. Nil: this is a cache without execution.
	Queue *queue.Queue
	// Logs are what actions write while they run. Nil: that cannot be watched.
	Logs *livelog.Logs
	// MayUpdate says who may write action results, which others will take for
	// true. Nil: workers alone.
	MayUpdate func(ctx context.Context, instance string) bool
	// Timeout is for actions that ask for none, MaxTimeout the longest that one
	// may ask for. Zero: 1 h, 24 h.
	Timeout, MaxTimeout time.Duration
	// Fresh is for how long an input root that was found complete is taken to
	// be so without another look. The store must keep what was used for longer
	// than that. Zero: 5 min.
	Fresh time.Duration
	// Log takes faults of the server's own. Nil: slog.Default.
	Log *slog.Logger
}

// Server implements the services. Its methods are safe for concurrent use.
type Server struct {
	repb.UnimplementedCapabilitiesServer
	repb.UnimplementedContentAddressableStorageServer
	repb.UnimplementedActionCacheServer
	repb.UnimplementedExecutionServer
	bspb.UnimplementedByteStreamServer
	longrunning.UnimplementedOperationsServer

	cfg      Config
	complete *completeness
}

// New returns a server. It has no state of its own that would need a Close.
func New(cfg Config) *Server {
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Hour
	}
	if cfg.MaxTimeout == 0 {
		cfg.MaxTimeout = 24 * time.Hour
	}
	if cfg.Fresh == 0 {
		cfg.Fresh = 5 * time.Minute
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Server{cfg: cfg, complete: newCompleteness(cfg.Store, cfg.Fresh)}
}

// Register adds the services to g.
func (s *Server) Register(g *grpc.Server) {
	repb.RegisterCapabilitiesServer(g, s)
	g.RegisterService(casService(), s)
	repb.RegisterActionCacheServer(g, s)
	bspb.RegisterByteStreamServer(g, s)
	if s.cfg.Queue != nil {
		repb.RegisterExecutionServer(g, s)
		longrunning.RegisterOperationsServer(g, s)
	}
}

// Options are what a gRPC server of these services is made with: messages
// larger than the default, since batches are, windows for fast links, and
// limits on what clients may hold on to, and a codec without which Write does
// not work.
func Options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxSendMsgSize(maxMessage),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(20 * time.Second), // for the handshakes
		grpc.ChainStreamInterceptor(patient(patience)),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.InitialWindowSize(1 << 20),
		grpc.InitialConnWindowSize(4 << 20),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	}
}
