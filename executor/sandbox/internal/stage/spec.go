// Package stage is the first process of a sandbox: the program itself, started
// again in new namespaces. Its init function takes over before the rest of the
// program is initialised, which is why the package imports little and why its
// path sorts before most.
package stage

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// Argv0 is the program name that makes a program a sandbox's first process.
const Argv0 = "kvfarm-sandbox"

// ControlFD is the descriptor of the control socket in the first process.
const ControlFD = 3

// InputDir is where the input root is mounted.
const InputDir = "/x"

// Spec is what the first process prepares and runs.
type Spec struct {
	Dir      string   // Layers are relative to it, which keeps the mount's options short
	Root     string   // becomes "/"; has the folders x, tmp, dev and proc
	Layers   []string // of the input root, top first
	Copy     bool     // copy the layers instead of stacking them
	Scratch  int64    // bytes that may be written to the input root, /tmp and /dev/shm together
	Inodes   int64    // files likewise
	Argv     []string
	Env      []string
	WorkDir  string   // absolute, after the change of root
	Mkdirs   []string // absolute: made, with their parents, if absent
	UID, GID int      // of the command
	Become   bool     // to UID and GID; otherwise the process has them already
	Limits   []Limit
}

// Limit is a resource limit, soft and hard.
type Limit struct {
	Resource int
	Value    uint64
}

// Report is what the first process says at its end.
type Report struct {
	Error  string `json:",omitempty"` // why the command could not be started
	Exit   int    // 128 + n for signal n; with an Error: nonzero if the command is to blame
	User   int64  // microseconds
	System int64
	MaxRSS int64 // bytes, of the largest process
}

// maxSpec is more than argv and environment of one process may have.
const maxSpec = 16 << 20

// Write sends v, with its length before it.
func Write(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

// Read is the inverse of Write.
func Read(r io.Reader, v any) error {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxSpec {
		return fmt.Errorf("message of %d bytes is over the limit of %d", n, maxSpec)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}
