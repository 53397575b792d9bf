package stage

import (
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
)

func init() {
	if len(os.Args) > 0 && os.Args[0] == Argv0 {
		runtime.LockOSThread()
		main()
	}
}

// main runs one command as process 1 and ends with it, which ends all that the
// command left behind.
func main() {
	control := os.NewFile(ControlFD, "control")
	var spec Spec
	if err := Read(control, &spec); err != nil {
		syscall.Exit(1) // nobody is there to be told
	}
	go dieWith(control)
	report := run(&spec)
	if err := Write(control, report); err != nil {
		syscall.Exit(1)
	}
	syscall.Exit(0)
}

// dieWith ends the sandbox when the other end of the control socket closes:
// the worker is gone.
func dieWith(control io.Reader) {
	_, _ = io.Copy(io.Discard, control)
	syscall.Exit(1)
}

func run(spec *Spec) *Report {
	syscall.Umask(0o022)
	changes, err := build(spec)
	if err != nil {
		return &Report{Error: err.Error()}
	}
	if err := sendViews(changes); err != nil {
		return &Report{Error: err.Error()}
	}
	if err := makeFolders(spec); err != nil {
		return refused(err)
	}
	if err := restrict(spec); err != nil {
		return &Report{Error: err.Error()}
	}
	if len(spec.Argv) == 0 {
		return &Report{} // only a try
	}
	pid, err := start(spec)
	if err != nil {
		return refused(err)
	}
	exit, err := wait(pid)
	if err != nil {
		return &Report{Error: err.Error()}
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &used); err != nil {
		return &Report{Error: in("get usage", err).Error()}
	}
	return &Report{Exit: exit, User: used.Utime.Nano() / 1000, System: used.Stime.Nano() / 1000, MaxRSS: used.Maxrss << 10}
}

// refused reports a command that cannot be started, as a shell does.
func refused(err error) *Report {
	r := &Report{Error: err.Error(), Exit: 127}
	if errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENOEXEC) {
		r.Exit = 126
	}
	return r
}

// sendViews hands an open input root to the worker, who collects outputs
// through it when every process of the sandbox is dead, and the layer that is
// written to, if that is open.
func sendViews(changes int) error {
	fd, err := syscall.Open(InputDir, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return in("open the input root", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	fds := []int{fd}
	if changes >= 0 {
		defer func() { _ = syscall.Close(changes) }()
		fds = append(fds, changes)
	}
	return in("send the view of the input root", syscall.Sendmsg(ControlFD, []byte{0}, syscall.UnixRights(fds...), nil, 0))
}

// restrict takes from this thread's children what they are not to have.
func restrict(spec *Spec) error {
	if err := closeOnExec(); err != nil {
		return err
	}
	if err := dropPrivileges(); err != nil {
		return err
	}
	return filterCalls(spec.Filter)
}

// start runs the command as process 2.
func start(spec *Spec) (int, error) {
	attr := &syscall.ProcAttr{Dir: spec.WorkDir, Env: spec.Env, Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Setsid: true}}
	if spec.Become {
		attr.Sys.Credential = &syscall.Credential{Uid: uint32(spec.UID), Gid: uint32(spec.GID)}
	}
	for _, l := range spec.Limits {
		if err := setLimit(l); err != nil {
			return 0, in("set resource limit", err)
		}
	}
	path := lookPath(spec.Search)
	if path == "" {
		return 0, in("exec "+spec.Argv[0], errNoProgram)
	}
	pid, err := syscall.ForkExec(path, spec.Argv, attr)
	return pid, in("exec "+path, err)
}

func setLimit(l Limit) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(l.Resource, &now); err != nil {
		return err
	}
	v := min(uint64(l.Value), now.Max)
	return syscall.Setrlimit(l.Resource, &syscall.Rlimit{Cur: v, Max: v})
}

var errNoProgram = errors.New("not found in PATH")

// lookPath finds the program as execvp would. A single candidate is taken as it
// is: exec says what is wrong with it.
func lookPath(candidates []string) string {
	if len(candidates) == 1 {
		return candidates[0]
	}
	for _, file := range candidates {
		var st syscall.Stat_t
		if syscall.Stat(file, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFREG && st.Mode&0o111 != 0 {
			return file
		}
	}
	return ""
}

// wait reaps until process pid ends, as process 1 must, and returns its exit code.
func wait(pid int) (int, error) {
	for {
		var ws syscall.WaitStatus
		got, err := syscall.Wait4(-1, &ws, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return 0, in("wait", err)
		case got == pid && ws.Exited():
			return ws.ExitStatus(), nil
		case got == pid && ws.Signaled():
			return 128 + int(ws.Signal()), nil
		}
	}
}
