// Package kbuild splits the Rust build of a Linux tree into hermetic actions.
package kbuild

import (
	"context"
	"io"
	"time"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// Action is one hermetic command.
type Action struct {
	Kind     string            // what sort of work, for reports: "config", "plan", "bindgen", "rustc", "lower", "prove" ...
	Name     string            // what it is about, for people: "kernel", "drivers/gpu/drm/drm_panic_qr"
	Argv     []string          // Argv[0] is looked up in Env's PATH if it has no slash
	Env      map[string]string // the whole environment
	Dir      string            // working directory, relative to the input root
	Inputs   tree.Files        // the input root without the toolchain; all of it read-only
	Outputs  []string          // files or directories, relative to Dir
	Root     digest.Digest     // Directory of the toolchain that becomes "/"; zero: none is needed
	Timeout  time.Duration     // zero: the farm's default
	Memory   int64             // limit in bytes; zero: the farm's default
	Priority int32             // smaller runs earlier where there is a choice; no part of the action's identity
	Content  Content           // opens Inputs that the farm may lack; nil: the farm has them all
	Staged   func(Stage)       // is told how far the action is; may be nil
}

// Stage is how far an action is, in REv2's order.
type Stage uint8

// The stages of an action that is not answered from the cache.
const (
	Queued Stage = iota
	Fetching
	Running
)

func (s Stage) String() string { return [...]string{"queued", "fetching", "running"}[s] }

// Content finds the bytes of inputs that live with the client: files of a
// kernel tree and small made-up ones. A Runner asks it only for what the farm
// reports missing.
type Content interface {
	// Open yields the bytes of blob d. Errors: fs.ErrNotExist when d is not of this content.
	Open(d digest.Digest) (io.ReadCloser, error)
}

// Result is what a finished action left.
type Result struct {
	Action   digest.Digest // of the REv2 Action message
	ExitCode int
	Stdout   []byte     // at most the first MiB
	Stderr   []byte     // at most the first MiB
	Outputs  tree.Files // by the names in Action.Outputs; a missing output has no entry. A Dir entry's Digest is of its root Directory, stored
	Cached   bool       // came from the action cache
	Wall     time.Duration
	CPU      time.Duration // zero when the farm does not tell
	Worker   string
}

// Runner has actions executed. A result with ExitCode != 0 is no error; an
// error is about the farm.
type Runner interface {
	Run(ctx context.Context, a *Action) (*Result, error)
}
