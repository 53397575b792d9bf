package sandbox

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// To move a process into a group the kernel waits until no processor is in the
// midst of something: milliseconds, on a machine where nothing was moved
// lately. So nothing is moved. Version 2 lets a process be born in a group. In
// version 1 it is born where the thread is that starts it: each group has one
// of ours, its seat.
//
// Until it has become another program a new process shares our memory, and if
// it is killed for being over a limit of its group's, so is everybody who shares
// it. So a group has no limit before its first process runs.

// open makes the group one that processes can be started in.
func (g *group) open() (err error) {
	if g.layout.seats == 0 {
		g.folder, err = os.Open(g.dirs["pids"])
		return err
	}
	g.seat, err = takeSeat(g.dirs)
	return err
}

func (g *group) close() error {
	if g.seat != nil {
		return g.seat.leave()
	}
	if g.folder == nil {
		return nil
	}
	return g.folder.Close()
}

// start starts cmd in the group.
func (g *group) start(cmd *exec.Cmd) error {
	switch {
	case g == nil:
		return cmd.Start()
	case g.seat != nil:
		return g.seat.start(cmd)
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(g.folder.Fd())
	return cmd.Start()
}

// seat is a thread that is in a group. It does nothing but start processes, and
// is never the first thread of this process: where that one is, there all that we
// use of memory is charged, and there we are killed for it.
type seat struct {
	commands chan *exec.Cmd
	results  chan error
}

func takeSeat(dirs map[string]string) (*seat, error) {
	s := &seat{commands: make(chan *exec.Cmd), results: make(chan error)}
	go onThread(func() { s.sit(dirs) })
	if err := <-s.results; err != nil {
		return nil, errors.Join(err, s.leave())
	}
	return s, nil
}

// onThread calls f on a thread of its own that is not the first one, and ends it.
func onThread(f func()) {
	runtime.LockOSThread() // for good: a thread ends with a function that does not unlock it
	if unix.Gettid() != unix.Getpid() {
		f()
		return
	}
	begun := make(chan struct{})
	go onThread(func() { close(begun); f() })
	<-begun
	runtime.UnlockOSThread()
}

// sit is what the thread does.
func (s *seat) sit(dirs map[string]string) {
	s.results <- moveThread(dirs, func(dir string) string { return dir })
	for cmd := range s.commands {
		s.results <- cmd.Start()
	}
	s.results <- moveThread(dirs, filepath.Dir) // a group with a thread in it cannot be removed
}

// moveThread moves this thread into the groups that lie where they are told to.
func moveThread(dirs map[string]string, where func(dir string) string) error {
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, write(where(dir), "tasks", strconv.Itoa(unix.Gettid())))
	}
	return errors.Join(errs...)
}

// start is not called by two at a time: a group is of one sandbox.
func (s *seat) start(cmd *exec.Cmd) error {
	s.commands <- cmd
	return <-s.results
}

func (s *seat) leave() error {
	close(s.commands)
	return <-s.results
}
