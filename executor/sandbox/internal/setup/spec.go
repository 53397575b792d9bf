// Package setup writes the programs of a sandbox's first process: the system
// calls that make what a command sees, start it and wait for its end.
package setup

import "golang.org/x/sys/unix"

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
	Loopback bool     // is to be brought up: the network namespace is new
	Limits   []Limit
	Filter   string // of system calls: struct sock_filter, as the kernel reads them
}

// Limit is a resource limit, soft and hard.
type Limit struct {
	Resource int
	Value    int64
}

// Report is how the first process ended.
type Report struct {
	Step  string     // that failed; "" if none did
	Blame bool       // the command is to blame, not the sandbox
	Errno unix.Errno // why
	Exit  int        // of the command, 128 + n for signal n
	Usage unix.Rusage
}
