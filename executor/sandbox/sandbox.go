// Package sandbox runs one command in namespaces of its own: it sees a root, an
// input root, and nothing else of the machine.
package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// ErrRefused says that this machine does not let us make sandboxes. The
// message says what to enable.
var ErrRefused = errors.New("sandbox refused")

// InputDir is where the command finds its input root.
const InputDir = "/x"

// MountPoints are the folders that a root must have.
var MountPoints = []string{"x", "tmp", "dev", "proc"}

// Config says how sandboxes are made here. The zero value is useful.
type Config struct {
	// UID and GID are the command's, inside. Zero: 65534, nobody.
	UID, GID int
	// Cgroup is the folder, relative to the mount of each controller, in which
	// every sandbox gets a group. Empty: "kvfarm".
	Cgroup string
	// Dir is a folder on the file system that layers will be on, which Open
	// tries. Empty: that of temporary files.
	Dir string
	// Copy copies inputs instead of stacking them, as on a machine without overlayfs.
	Copy bool
	// again starts this program again as the first process, as where nothing
	// smaller can be had.
	again bool
}

// nobody is the unprivileged user of all Linux distributions.
const nobody = 65534

// Spec is one command and all that it sees.
type Spec struct {
	Root    string   // host folder that becomes "/", read-only; has the MountPoints
	Dir     string   // host folder that Layers are relative to
	Layers  []string // of the input root, top first; never changed. None: it is empty
	Argv    []string // Argv[0] without a slash is looked up in Env's PATH
	Env     []string // "name=value", the whole environment
	WorkDir string   // relative to the input root; made if absent
	Mkdirs  []string // folders to make, relative to the input root
	Settles bool     // Result.Settle will be called; needs Host.Stacks

	Timeout   time.Duration // of the command; zero: none
	Memory    int64         // bytes, of all processes together and what they write; zero: none
	Scratch   int64         // bytes of all written files; zero: 4 GiB
	Files     int64         // number of written files; zero: 1,000,000
	Processes int64         // and threads, at a time; zero: 4096
	Output    int64         // bytes kept of stdout and of stderr each; zero: 8 MiB

	Stdout, Stderr io.Writer // get what is kept as it comes; nil: nobody watches
}

const (
	defaultScratch   = 4 << 30
	defaultFiles     = 1_000_000
	defaultProcesses = 4096
	defaultOutput    = 8 << 20
	openFiles        = 1 << 16
)

// Result is what a command left.
type Result struct {
	ExitCode    int // 128 + n when signal n killed it, 126 or 127 when it could not be started
	TimedOut    bool
	OutOfMemory bool // something was killed for the memory limit
	Stdout      Output
	Stderr      Output
	Usage       Usage
	Wall        time.Duration
	// Inputs is the input root as the command left it. All processes are dead.
	// Nil when the command never saw it. The caller closes it.
	Inputs *os.Root
	// changes is the layer that took what the command wrote, for Settle.
	changes *os.Root
}

// Usage is what the processes of one command used together.
type Usage struct {
	User, System time.Duration
	Peak         int64 // bytes of memory: of all together where cgroups tell, else of the largest process
}

// Host makes sandboxes on this machine. It is safe for concurrent use.
type Host struct {
	cfg    Config
	uid    int      // of the command
	gid    int      //
	user   bool     // sandboxes need a user namespace
	first  *os.File // the first process's program; nil: this one
	groups *groups
	notes  []string
}

// Open finds out what this machine allows, by trying. Error: ErrRefused.
func Open(cfg Config) (*Host, error) {
	h := &Host{cfg: cfg, uid: cfg.UID, gid: cfg.GID}
	if h.uid == 0 {
		h.uid = nobody
	}
	if h.gid == 0 {
		h.gid = nobody
	}
	if !cfg.again {
		h.first = openInterpreter()
	}
	if err := h.try(); err != nil {
		_ = h.first.Close()
		return nil, err
	}
	var err error
	if h.groups, err = h.openGroups(); err != nil {
		h.notes = append(h.notes, fmt.Sprintf("no cgroups (%v): memory is limited per process, not per action", err))
	}
	return h, nil
}

// Notes says what this machine lacks and what is done instead, for a log.
func (h *Host) Notes() []string { return h.notes }

// Stacks reports whether an input root may have more than one layer.
func (h *Host) Stacks() bool { return !h.cfg.Copy }

// Owner returns the IDs that files of layers should have for the command to
// own them, and whether this process can give files away.
func (h *Host) Owner() (uid, gid int, ok bool) { return h.uid, h.gid, !h.user }

// Close removes what the Host made.
func (h *Host) Close() error {
	if h.first != nil {
		_ = h.first.Close()
	}
	return h.groups.Close()
}
