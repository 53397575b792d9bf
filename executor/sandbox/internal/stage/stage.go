package stage

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
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
		os.Exit(1) // nobody is there to be told
	}
	go dieWith(control)
	report := run(&spec)
	if err := Write(control, report); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// dieWith ends the sandbox when the other end of the control socket closes:
// the worker is gone.
func dieWith(control io.Reader) {
	_, _ = io.Copy(io.Discard, control)
	os.Exit(1)
}

func run(spec *Spec) *Report {
	syscall.Umask(0o022)
	if err := build(spec); err != nil {
		return &Report{Error: err.Error()}
	}
	if err := sendView(); err != nil {
		return &Report{Error: err.Error()}
	}
	if err := makeFolders(spec); err != nil {
		return refused(err)
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
		return &Report{Error: fmt.Sprintf("getrusage: %v", err)}
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

// sendView hands an open input root to the worker, who collects outputs
// through it when every process of the sandbox is dead.
func sendView() error {
	fd, err := syscall.Open(InputDir, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", InputDir, err)
	}
	defer func() { _ = syscall.Close(fd) }()
	if err := syscall.Sendmsg(ControlFD, []byte{0}, syscall.UnixRights(fd), nil, 0); err != nil {
		return fmt.Errorf("send the view of the input root: %w", err)
	}
	return nil
}

// start runs the command as process 2, with no privileges.
func start(spec *Spec) (int, error) {
	if err := closeOnExec(); err != nil {
		return 0, err
	}
	if err := dropPrivileges(); err != nil {
		return 0, err
	}
	path, err := lookPath(spec)
	if err != nil {
		return 0, err
	}
	attr := &syscall.ProcAttr{Dir: spec.WorkDir, Env: spec.Env, Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Setsid: true}}
	if spec.Become {
		attr.Sys.Credential = &syscall.Credential{Uid: uint32(spec.UID), Gid: uint32(spec.GID)}
	}
	for _, l := range spec.Limits {
		if err := setLimit(l); err != nil {
			return 0, err
		}
	}
	pid, err := syscall.ForkExec(path, spec.Argv, attr)
	if err != nil {
		return 0, fmt.Errorf("exec %s: %w", path, err)
	}
	return pid, nil
}

func setLimit(l Limit) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(l.Resource, &now); err != nil {
		return fmt.Errorf("get limit %d: %w", l.Resource, err)
	}
	v := min(l.Value, now.Max)
	if err := syscall.Setrlimit(l.Resource, &syscall.Rlimit{Cur: v, Max: v}); err != nil {
		return fmt.Errorf("set limit %d: %w", l.Resource, err)
	}
	return nil
}

// lookPath finds the program as execvp would, in the command's own PATH. A
// name with a slash is relative to the working directory.
func lookPath(spec *Spec) (string, error) {
	name := spec.Argv[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, e := range spec.Env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			return lookIn(path, name, spec.WorkDir)
		}
	}
	return "", fmt.Errorf("exec %s: no PATH to look it up in", name)
}

func lookIn(path, name, workDir string) (string, error) {
	for dir := range strings.SplitSeq(path, ":") {
		if !strings.HasPrefix(dir, "/") {
			dir = workDir + "/" + dir
		}
		var st syscall.Stat_t
		file := dir + "/" + name
		if syscall.Stat(file, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFREG && st.Mode&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("exec %s: not found in PATH=%s", name, path)
}

// wait reaps until process pid ends, as process 1 must, and returns its exit code.
func wait(pid int) (int, error) {
	for {
		var ws syscall.WaitStatus
		got, err := syscall.Wait4(-1, &ws, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return 0, fmt.Errorf("wait: %w", err)
		case got == pid && ws.Exited():
			return ws.ExitStatus(), nil
		case got == pid && ws.Signaled():
			return 128 + int(ws.Signal()), nil
		}
	}
}
