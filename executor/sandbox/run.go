package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/seccomp"
	"github.com/kvfarm/kvfarm/executor/sandbox/internal/setup"
	"github.com/kvfarm/kvfarm/executor/sandbox/internal/stage"
)

// Run runs one command to its end. When it returns, every process that the
// command started is dead. A command that fails is no error. Errors: ctx's,
// ErrRefused, or the machine's trouble.
func (h *Host) Run(ctx context.Context, s Spec) (*Result, error) {
	s = s.withDefaults()
	if h.cfg.Copy && len(s.Layers) > 1 {
		return nil, fmt.Errorf("run %q: %d layers of inputs, but they are copied and not stacked here", s.Argv, len(s.Layers))
	}
	if h.cfg.Copy && s.Settles {
		return nil, fmt.Errorf("run %q: changes to inputs that are copied cannot be told from the rest", s.Argv)
	}
	for {
		r, err := h.attempt(ctx, &s)
		if !errors.Is(err, errTaken) {
			return r, err
		}
	}
}

// attempt runs the command in one control group. Errors: errTaken, and those of
// Run.
func (h *Host) attempt(ctx context.Context, s *Spec) (*Result, error) {
	group, err := h.groups.take()
	if err != nil {
		return nil, fmt.Errorf("limit %q: %w", s.Argv, err)
	}
	defer h.groups.give(group)
	r := &Result{Stdout: Output{limit: s.Output, watch: s.Stdout}, Stderr: Output{limit: s.Output, watch: s.Stderr}}
	err = h.run(ctx, s, group, r)
	group.account(r)
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close closes Inputs, if any.
func (r *Result) Close() {
	for _, root := range []*os.Root{r.Inputs, r.changes} {
		if root != nil {
			_ = root.Close()
		}
	}
}

func (s Spec) withDefaults() Spec {
	for _, d := range []struct {
		p *int64
		v int64
	}{{&s.Scratch, defaultScratch}, {&s.Files, defaultFiles}, {&s.Processes, defaultProcesses}, {&s.Output, defaultOutput}} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
	return s
}

func (h *Host) run(ctx context.Context, s *Spec, group *group, r *Result) error {
	program, sent, err := setup.New(h.spec(s, group))
	if err != nil {
		return fmt.Errorf("prepare %q: %w", s.Argv, err)
	}
	p, err := h.launch(group, r)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, p.kill)
	defer stop()
	if err := group.begin(limits{memory: s.Memory, processes: s.Processes}); err != nil {
		p.kill()
		return errors.Join(fmt.Errorf("limit %q: %w", s.Argv, err), p.wait())
	}
	begin := time.Now()
	if s.Timeout > 0 {
		t := time.AfterFunc(s.Timeout, func() { p.timedOut.Store(true); p.kill() })
		defer t.Stop()
	}
	views, report, err := p.talk(program, sent)
	waitErr := p.wait()
	r.Wall = time.Since(begin)
	if err := r.open(views); err != nil {
		return err
	}
	return r.fill(ctx, p, report, errors.Join(err, waitErr))
}

// open opens what the first process handed over, if it came so far: the input
// root, and the layer that was written to if that was asked for.
func (r *Result) open(views []*os.File) (err error) {
	for i, view := range views {
		defer func() { _ = view.Close() }()
		at := []**os.Root{&r.Inputs, &r.changes}[i]
		if *at, err = os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", view.Fd())); err != nil {
			return fmt.Errorf("open the view of the input root: %w", err)
		}
	}
	return nil
}

// fill says how the command ended. Without a report process 1 was killed: by
// us, or for want of memory.
func (r *Result) fill(ctx context.Context, p *process, report *setup.Report, trouble error) error {
	switch {
	case report != nil && report.Step != "" && !report.Blame:
		return fmt.Errorf("make sandbox: %s: %v", report.Step, report.Errno)
	case report != nil && report.Step != "": // as from a shell
		fmt.Fprintf(&r.Stderr, "kvfarm: %s: %v\n", report.Step, report.Errno)
		r.ExitCode = 127
		if report.Errno == unix.EACCES || report.Errno == unix.ENOEXEC {
			r.ExitCode = 126
		}
	case report != nil:
		r.ExitCode = report.Exit
		r.Usage = Usage{User: time.Duration(report.Usage.Utime.Nano()),
			System: time.Duration(report.Usage.Stime.Nano()), Peak: report.Usage.Maxrss << 10}
	case p.timedOut.Load():
		r.TimedOut = true
		r.ExitCode = 128 + int(syscall.SIGKILL)
	case ctx.Err() != nil:
		return ctx.Err()
	case r.Inputs != nil:
		r.ExitCode = 128 + int(syscall.SIGKILL)
	default:
		return fmt.Errorf("sandbox ended before its command began: %w", trouble)
	}
	if report == nil {
		r.Usage = p.usage()
	}
	return nil
}

// The filters of system calls: where a control group counts memory, and where
// none does.
var (
	policy        = string(seccomp.Policy().Bytes())
	policyLimited = string(seccomp.Policy(seccomp.Uncounted...).Bytes())
)

// spec translates s for the first process.
func (h *Host) spec(s *Spec, group *group) *setup.Spec {
	out := &setup.Spec{Dir: s.Dir, Root: s.Root, Lower: strings.Join(s.Layers, ":"), Copy: h.cfg.Copy,
		Argv: s.Argv, Env: s.Env, WorkDir: path.Join(InputDir, s.WorkDir), UID: h.uid, GID: h.gid, Become: !h.user, Settles: s.Settles, Loopback: !group.hasNetwork(), Filter: policy}
	out.Search = candidates(s.Argv, s.Env, out.WorkDir)
	out.Mkdirs = append(out.Mkdirs, out.WorkDir)
	for _, dir := range s.Mkdirs {
		out.Mkdirs = append(out.Mkdirs, path.Join(InputDir, path.Join("/", dir)))
	}
	out.Limits = []setup.Limit{
		{Resource: unix.RLIMIT_CORE, Value: 0},
		{Resource: unix.RLIMIT_NOFILE, Value: openFiles},
		{Resource: unix.RLIMIT_FSIZE, Value: s.Scratch},
	}
	if group == nil {
		out.Limits = append(out.Limits, setup.Limit{Resource: unix.RLIMIT_NPROC, Value: s.Processes})
	}
	scratch := s.Scratch
	if s.Memory > 0 && group == nil { // what is written lies in memory
		out.Limits = append(out.Limits, setup.Limit{Resource: unix.RLIMIT_DATA, Value: s.Memory})
		out.Filter = policyLimited
		scratch = min(scratch, s.Memory)
	}
	out.Scratch = fmt.Sprintf("size=%d,nr_inodes=%d,mode=0755", scratch, s.Files)
	if out.Dir == "" {
		out.Dir = "/"
	}
	return out
}

// candidates returns where a program may be: in the command's own PATH, or, if
// its name has a slash, relative to the working directory.
func candidates(argv, env []string, workDir string) (out []string) {
	if len(argv) == 0 || strings.Contains(argv[0], "/") {
		return argv[:min(len(argv), 1)]
	}
	for _, e := range env {
		dirs, ok := strings.CutPrefix(e, "PATH=")
		if !ok {
			continue
		}
		for dir := range strings.SplitSeq(dirs, ":") {
			if !strings.HasPrefix(dir, "/") {
				dir = path.Join(workDir, dir)
			}
			out = append(out, dir+"/"+argv[0])
		}
	}
	return append(out, "") // not one alone, which would not be looked for
}

// talk hands over the program and returns what comes back before the end.
func (p *process) talk(program *setup.Program, sent []byte) (views []*os.File, report *setup.Report, err error) {
	if _, err := p.control.Write(sent); err != nil {
		return nil, nil, fmt.Errorf("send program: %w", err)
	}
	first, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4*setup.MaxViews))
	n, oobn, _, _, err := p.control.ReadMsgUnix(first, oob)
	if err != nil || n == 0 {
		return nil, nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	var rest io.Reader = p.control
	if oobn == 0 { // no view: the report begins
		rest = io.MultiReader(bytes.NewReader(first), rest)
	} else if views, err = received(oob[:oobn]); err != nil {
		return nil, nil, err
	}
	var body [stage.ReportSize]byte
	if _, err := io.ReadFull(rest, body[:]); err != nil {
		return views, nil, fmt.Errorf("read report: %w", err)
	}
	r := program.Report(body)
	return views, &r, nil
}

// received returns the descriptors in a control message.
func received(oob []byte) (views []*os.File, err error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("receive view: %d messages: %w", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) > setup.MaxViews {
		return nil, fmt.Errorf("receive view: %d descriptors: %w", len(fds), err)
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		views = append(views, os.NewFile(uintptr(fd), "view"))
	}
	return views, nil
}

// controlPair returns both ends of the control socket.
func controlPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make control socket: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
	defer func() { _ = ours.Close() }()
	conn, err := net.FileConn(ours)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, fmt.Errorf("make control socket: %w", err)
	}
	return conn.(*net.UnixConn), theirs, nil
}
