package farm

import (
	"log/slog"
	"time"

	"google.golang.org/grpc"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// Config says how to reach a farm. The fields follow Bazel's flags of the same
// names; the zero value of each is Bazel's default unless said otherwise.
type Config struct {
	// Executor is the endpoint that runs actions: grpc://HOST:PORT in the
	// clear, grpcs://HOST:PORT or no scheme with TLS, or unix:PATH.
	Executor string
	// Cache is the endpoint of the store and the action cache. Empty: Executor.
	Cache string
	// Instance is the instance name.
	Instance string
	// Headers go with every call.
	Headers map[string]string
	// TLSCertificate is a file of certificates to trust instead of the system's.
	TLSCertificate string
	// TLSClientCertificate and TLSClientKey are files that prove who the client is.
	TLSClientCertificate, TLSClientKey string
	// CredentialHelper is a program that speaks Bazel's credential helper
	// protocol, or PATTERN=PROGRAM to use it for some hosts alone.
	CredentialHelper string
	// DefaultExecProperties are platform properties of every action.
	DefaultExecProperties map[string]string
	// Timeout is for each call but Execute. Zero: 60 s.
	Timeout time.Duration
	// Retries is how often a call or an execution is tried again after an
	// error of the farm. Zero: 5; negative: never.
	Retries int

	// Keepalive is after how long without a word the other side is asked
	// whether it is still there. Zero: never; servers may mind.
	Keepalive time.Duration

	// Dial are options of each connection, beside its own.
	Dial []grpc.DialOption

	// NoCache says of which kinds of action each is run, though its result be
	// known, which is then replaced. Nil: of none.
	NoCache func(kind string) bool
	// LinkTargets sends the target of each symbolic link as a blob, too: justbuild
	// looks for it there.
	LinkTargets bool
	// Local holds blobs that the farm may turn out to lack, above all
	// toolchain roots. Nil: there are none.
	Local cas.Store
	// Progress is called when an action's stage changes, by several goroutines
	// at a time. Nil: nobody wants to know.
	Progress func(Event)
	// Log takes what went wrong and was tried again. Nil: slog.Default.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Cache == "" {
		c.Cache = c.Executor
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	if c.Retries == 0 {
		c.Retries = 5
	}
	c.Retries = max(c.Retries, 0)
	if c.Progress == nil {
		c.Progress = func(Event) {}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// Stage is how far an action has come.
type Stage uint8

// The stages, in order. An action that is retried goes back.
const (
	Checking  Stage = iota // asking the action cache
	Uploading              // sending what the farm lacks
	Queued                 // waiting for a worker
	Fetching               // the worker gets the inputs
	Running
	Done
)

// String returns the stage in lower case.
func (s Stage) String() string {
	return [...]string{"checking", "uploading", "queued", "fetching", "running", "done"}[s]
}

// Event says that an action reached a stage.
type Event struct {
	Kind, Name string        // of the kbuild.Action
	Action     digest.Digest // of the REv2 Action message
	Stage      Stage
	Worker     string        // from Fetching on, if the farm tells
	Cached     bool          // Done: the result came from the cache
	ExitCode   int           // Done, with Err nil
	Err        error         // Done: the farm's error
	Wall       time.Duration // Done: of the command
}
