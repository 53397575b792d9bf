package sandbox

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/stage"
)

// process is the first process of a sandbox, process 1 inside.
type process struct {
	cmd      *exec.Cmd
	control  *net.UnixConn
	timedOut atomic.Bool
}

const namespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS

// launch starts the first process of new namespaces, in a group. It waits for
// its program.
func (h *Host) launch(group *group, r *Result) (*process, error) {
	control, theirs, err := controlPair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	cmd := &exec.Cmd{
		Path: h.interpreter(), Args: []string{stage.Argv0},
		Env:    []string{"GOGC=off", "GOMAXPROCS=1"}, // if it is this program
		Stdout: &r.Stdout, Stderr: &r.Stderr, ExtraFiles: []*os.File{theirs},
		SysProcAttr: &syscall.SysProcAttr{Cloneflags: namespaces},
	}
	if !group.hasNetwork() {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET
	}
	if h.user {
		h.mapUser(cmd.SysProcAttr)
	}
	if err := group.start(cmd); err != nil {
		_ = control.Close()
		return nil, notStarted(err)
	}
	return &process{cmd: cmd, control: control}, nil
}

// interpreter is the program of the first process.
func (h *Host) interpreter() string {
	if h.first == nil {
		return "/proc/self/exe"
	}
	return h.first.Name()
}

// mapUser makes this process's user the command's. As that one is not root
// inside either, the first process keeps the capabilities it needs as ambient
// ones, and gives them up before it starts the command.
func (h *Host) mapUser(attr *syscall.SysProcAttr) {
	attr.Cloneflags |= syscall.CLONE_NEWUSER
	attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP,
		unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER} // the last three are for the overlay
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: h.uid, HostID: os.Getuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: h.gid, HostID: os.Getgid(), Size: 1}}
}

// kill ends all processes of the sandbox.
func (p *process) kill() { _ = p.cmd.Process.Kill() }

// wait returns when all processes of the sandbox are dead and their output is
// read. How process 1 ended is no error.
func (p *process) wait() error {
	err := p.cmd.Wait()
	_ = p.control.Close()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return nil
	}
	return err
}

// usage is what is known when process 1 could not report.
func (p *process) usage() Usage {
	st := p.cmd.ProcessState
	u := Usage{User: st.UserTime(), System: st.SystemTime()}
	if r, ok := st.SysUsage().(*syscall.Rusage); ok {
		u.Peak = r.Maxrss << 10
	}
	return u
}
