// Package stage is the first process of a sandbox: the program itself, started
// again in new namespaces. Its init function takes over before the rest of the
// program is initialised. For that the package imports next to nothing: the
// linker orders initialisation by dependencies, then by path, and even fmt and
// strings come after much of the world. What can be computed comes computed.
package stage

// Argv0 is the program name that makes a program a sandbox's first process.
const Argv0 = "kvfarm-sandbox"

// ControlFD is the descriptor of the control socket in the first process.
const ControlFD = 3

// InputDir is where the input root is mounted.
const InputDir = "/x"

// MaxViews is how many descriptors are handed over: the input root, and the
// layer that is written to.
const MaxViews = 2

// Spec is what the first process prepares and runs.
type Spec struct {
	Dir      string   // Lower is relative to it, which keeps the mount's options short
	Root     string   // becomes "/"; has the folders x, tmp, dev and proc
	Lower    string   // layers of the input root, top first, with colons between
	Copy     bool     // copy the layer, of which there is one, instead of stacking it
	Scratch  string   // mount options of the tmpfs that takes all that is written
	Argv     []string // none: only try
	Search   []string // where the program may be: the first that is one is started
	Env      []string
	WorkDir  string   // absolute, after the change of root
	Mkdirs   []string // absolute: made, with their parents, if absent
	UID, GID int      // of the command
	Become   bool     // to UID and GID; otherwise the process has them already
	Settles  bool     // the layer that is written to is handed over too
	Limits   []Limit
	Filter   string // of system calls: struct sock_filter, as the kernel reads them
}

// Limit is a resource limit, soft and hard.
type Limit struct {
	Resource int
	Value    int64
}

// Report is what the first process says at its end.
type Report struct {
	Error  string // why the command could not be started
	Exit   int    // 128 + n for signal n; with an Error: nonzero if the command is to blame
	User   int64  // microseconds
	System int64
	MaxRSS int64 // bytes, of the largest process
}

// stepError is an error with what was to be done.
type stepError struct {
	step string
	err  error
}

func (e *stepError) Error() string { return e.step + ": " + e.err.Error() }

func (e *stepError) Unwrap() error { return e.err }

// in names the step that err, if any, happened in.
func in(step string, err error) error {
	if err == nil {
		return nil
	}
	return &stepError{step, err}
}
