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
		if g.folder, err = os.Open(g.dirs["pids"]); err != nil {
			return err
		}
		if !g.layout.networks {
			return nil
		}
	}
	g.seat, err = g.takeSeat()
	return err
}

func (g *group) close() error {
	var errs []error
	if g.seat != nil {
		errs = append(errs, g.seat.leave())
	}
	if g.folder != nil {
		errs = append(errs, g.folder.Close())
	}
	return errors.Join(errs...)
}

// hasNetwork reports whether what the group starts is in a network namespace of
// the group's.
func (g *group) hasNetwork() bool { return g != nil && g.layout.networks }

// start starts cmd in the group.
func (g *group) start(cmd *exec.Cmd) error {
	if g != nil && g.folder != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(g.folder.Fd())
	}
	if g != nil && g.seat != nil {
		return g.seat.start(cmd)
	}
	return cmd.Start()
}

// seat is a thread of a group: in version 1 it is in the group, and it is in the
// network namespace of the group's sandboxes. It does nothing but start processes,
// and is never the first thread of this process: where that one is, there all that
// we use of memory is charged, and there we are killed for it.
type seat struct {
	commands chan *exec.Cmd
	results  chan error
	network  *network // nil: that of this process, or none yet
}

func (g *group) takeSeat() (*seat, error) {
	s := &seat{commands: make(chan *exec.Cmd), results: make(chan error)}
	go onThread(func() { s.sit(g) })
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
func (s *seat) sit(g *group) {
	s.results <- g.moveThread(func(dir string) string { return dir })
	for cmd := range s.commands {
		err := s.settle(g)
		if err == nil {
			err = cmd.Start()
		}
		s.results <- err
	}
	err := g.moveThread(filepath.Dir) // a group with a thread in it cannot be removed
	if s.network != nil {
		err = errors.Join(err, s.network.close())
	}
	s.results <- err
}

// settle takes the thread to where nothing tells of an earlier command.
func (s *seat) settle(g *group) (err error) {
	if !g.layout.networks || s.network != nil && s.network.asNew() {
		return nil
	}
	if s.network != nil {
		_ = s.network.close() // it ends when the thread leaves it
	}
	s.network, err = enterNetwork()
	return err
}

// moveThread moves this thread into the groups that lie where they are told to,
// if it has to be in one.
func (g *group) moveThread(where func(dir string) string) error {
	if g.layout.seats == 0 {
		return nil
	}
	var errs []error
	for _, dir := range g.dirs {
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
