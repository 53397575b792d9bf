package setup

import (
	"encoding/binary"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/stage"
)

// Program is a program for the interpreter of package stage while it is
// written: its data, from stage.Base on, then its steps.
type Program struct {
	data  []byte
	steps []step
	about string // what is done from here on, for errors
	blame bool
	err   error // of the layer that is copied
}

// label is the number of a step.
type label int

type step struct {
	kind   stage.Kind
	call   uintptr
	args   [6]uint64
	store  place
	ignore uint64
	jump   label
	about  string
	blame  bool
}

// place is where a result goes: into data, or if that is 0 into an argument of
// a step. The zero place is none.
type place struct {
	data uint64
	step label
	arg  int
}

// anyError are all errors.
const anyError = ^uint64(0)

func newProgram() *Program { return &Program{data: make([]byte, stage.HeaderSize)} }

// bytes adds to the data, and returns the address.
func (p *Program) bytes(b []byte) uint64 {
	for len(p.data)%8 != 0 {
		p.data = append(p.data, 0)
	}
	at := stage.Base + uint64(len(p.data))
	p.data = append(p.data, b...)
	return at
}

// string adds a string as C has them. One that C cannot have fails as what it
// is for.
func (p *Program) string(s string) uint64 {
	if strings.IndexByte(s, 0) >= 0 {
		p.prctl(noOption, 0)
	}
	return p.bytes(append([]byte(s), 0))
}

// noOption is none that prctl knows: it fails as an invalid argument.
const noOption = 1 << 31

// words adds numbers, and addresses.
func (p *Program) words(list ...uint64) uint64 {
	var b []byte
	for _, v := range list {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return p.bytes(b)
}

// strings adds an array of strings that ends with a null pointer.
func (p *Program) strings(list []string) uint64 {
	at := make([]uint64, 0, len(list)+1)
	for _, s := range list {
		at = append(at, p.string(s))
	}
	return p.words(append(at, 0)...)
}

// doing says what the steps from here on are for.
func (p *Program) doing(what string) { p.about, p.blame = what, false }

// blaming is doing, where the command is to blame for what fails.
func (p *Program) blaming(what string) { p.about, p.blame = what, true }

// next is the label of the step after those that there are.
func (p *Program) next() label { return label(len(p.steps)) }

// call adds a system call, and returns its step to be changed.
func (p *Program) call(nr uintptr, args ...uint64) *step {
	s := step{call: nr, jump: p.next() + 1, about: p.about, blame: p.blame}
	copy(s.args[:], args)
	p.steps = append(p.steps, s)
	return &p.steps[len(p.steps)-1]
}

// ignoring lets the next step follow an error.
func (s *step) ignoring(errs ...unix.Errno) *step {
	for _, e := range errs {
		s.ignore |= 1 << min(e, 63)
	}
	return s
}

// jump adds a step that goes to where it is landed.
func (p *Program) jump() label {
	p.call(unix.SYS_GETPID).kind = stage.Jump // any call that does nothing
	return p.next() - 1
}

// land lets a jump go to the next step.
func (p *Program) land(l label) { p.steps[l].jump = p.next() }

// zero sets 4 bytes of data to 0: what this call yields, always.
func (p *Program) zero(at uint64) { p.prctl(unix.PR_SET_DUMPABLE, 0).store = place{data: at} }

// arg is an argument of the n-th step from here, from 0 for the next one.
func (p *Program) arg(n, arg int) place { return place{step: p.next() + label(n), arg: arg} }

// fd is a descriptor, or AT_FDCWD, as an argument.
func fd(n int) uint64 { return uint64(n) }

// The calls that most steps make. The ones without "at" are not on all machines.

func (p *Program) mount(source, target, kind string, flags uint64, options string) *step {
	data := uint64(0)
	if options != "" {
		data = p.string(options)
	}
	return p.call(unix.SYS_MOUNT, p.string(source), p.string(target), p.string(kind), flags, data)
}

func (p *Program) mkdir(name string, mode uint64) *step {
	return p.call(unix.SYS_MKDIRAT, fd(unix.AT_FDCWD), p.string(name), mode)
}

func (p *Program) chmod(name string, mode uint64) *step {
	return p.call(unix.SYS_FCHMODAT, fd(unix.AT_FDCWD), p.string(name), mode)
}

func (p *Program) symlink(target, name string) *step {
	return p.call(unix.SYS_SYMLINKAT, p.string(target), fd(unix.AT_FDCWD), p.string(name))
}

// open has the descriptor stored.
func (p *Program) open(name string, flags, mode uint64, to place) *step {
	s := p.call(unix.SYS_OPENAT, fd(unix.AT_FDCWD), p.string(name), flags|unix.O_CLOEXEC, mode)
	s.store = to
	return s
}

func (p *Program) chdir(name string) *step { return p.call(unix.SYS_CHDIR, p.string(name)) }

func (p *Program) prctl(option, arg uint64) *step { return p.call(unix.SYS_PRCTL, option, arg) }

// own makes the command the owner.
func (p *Program) own(s *Spec, name string) {
	if s.Become {
		p.call(unix.SYS_FCHOWNAT, fd(unix.AT_FDCWD), p.string(name), uint64(s.UID), uint64(s.GID), unix.AT_SYMLINK_NOFOLLOW)
	}
}

// address is where a step lies.
func (p *Program) address(l label) uint64 {
	return stage.Base + uint64(len(p.data)) + uint64(l)*stage.StepSize
}

func (p *Program) place(at place) uint64 {
	if at.data != 0 || at == (place{}) {
		return at.data
	}
	return p.address(at.step) + stage.StepArgs + 8*uint64(at.arg)
}

// encode returns the program as it is sent. onFailure is the step to go on with
// when one fails.
func (p *Program) encode(onFailure label) ([]byte, error) {
	if p.err != nil {
		return nil, p.err
	}
	for len(p.data)%8 != 0 {
		p.data = append(p.data, 0)
	}
	le := binary.LittleEndian
	size := len(p.data) + len(p.steps)*stage.StepSize
	out := make([]byte, 0, 16+size)
	out = le.AppendUint64(out, uint64(size))
	out = le.AppendUint64(out, p.address(0))
	le.PutUint64(p.data[stage.OnFailure:], p.address(onFailure))
	out = append(out, p.data...)
	for _, s := range p.steps {
		for _, v := range [...]uint64{uint64(s.kind), uint64(s.call), s.args[0], s.args[1], s.args[2], s.args[3], s.args[4], s.args[5],
			p.place(s.store), s.ignore, p.address(s.jump)} {
			out = le.AppendUint64(out, v)
		}
	}
	return out, nil
}

// Report reads what the first process sent at its end.
func (p *Program) Report(b [stage.ReportSize]byte) Report {
	le := binary.LittleEndian
	var r Report
	if at := le.Uint64(b[stage.Failed:]); at != 0 {
		r.Step, r.Errno = "go on", unix.Errno(le.Uint64(b[stage.Errno:]))
		if n := (at - p.address(0)) / stage.StepSize; n < uint64(len(p.steps)) {
			r.Step, r.Blame = p.steps[n].about, p.steps[n].blame
		}
	}
	status := unix.WaitStatus(le.Uint32(b[stage.Status:]))
	r.Exit = status.ExitStatus()
	if status.Signaled() {
		r.Exit = 128 + int(status.Signal())
	}
	r.Usage = *(*unix.Rusage)(unsafe.Pointer(&b[stage.Usage]))
	return r
}
