package stage

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// Argv0 is the program name that makes this program an interpreter.
const Argv0 = "kvfarm-sandbox"

func init() {
	if len(os.Args) > 0 && os.Args[0] == Argv0 {
		runtime.LockOSThread()
		interpret(load())
	}
}

// load maps the program that comes over the control socket, so that a child
// shares it, and returns its first step.
func load() uintptr {
	var words [2]uintptr
	fill(unsafe.Slice((*byte)(unsafe.Pointer(&words)), unsafe.Sizeof(words)))
	const fixed = syscall.MAP_SHARED | syscall.MAP_ANON | 0x100000 // MAP_FIXED_NOREPLACE
	at, _, errno := syscall.Syscall6(syscall.SYS_MMAP, Base, words[0], syscall.PROT_READ|syscall.PROT_WRITE, fixed, ^uintptr(0), 0)
	if errno != 0 || at != Base {
		syscall.Exit(1)
	}
	fill(unsafe.Slice((*byte)(address(Base)), words[0]))
	return words[1]
}

func fill(b []byte) {
	for len(b) > 0 {
		n, err := syscall.Read(ControlFD, b)
		if err != nil || n <= 0 {
			syscall.Exit(1) // nobody is there to be told
		}
		b = b[n:]
	}
}

// address is for memory that is not Go's.
//
//go:nosplit
//go:norace
func address(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }

//go:nosplit
//go:norace
func word(a uintptr) *uintptr { return (*uintptr)(address(a)) }

// interpret makes one system call after the other, and does not return.
func interpret(step uintptr) {
	for {
		var result uintptr
		var errno syscall.Errno
		kind := Kind(*word(step + StepKind))
		switch a := (*[6]uintptr)(address(step + StepArgs)); kind {
		case Thread:
			go interpret(*word(step + StepJump))
			result = 1
		case Fork:
			result, errno = fork(step)
		default:
			result, _, errno = syscall.Syscall6(*word(step + StepCall), a[0], a[1], a[2], a[3], a[4], a[5])
		}
		step = after(step, result, errno)
		if step == 0 { // this was to be done on failure
			syscall.Exit(1)
		}
	}
}

// fork returns in the parent. The child is no Go program any more: the
// scheduler and the race detector must not have a say, so all that it runs is
// nosplit and norace. It has memory of its own but for the program.
//
//go:nosplit
//go:norace
func fork(step uintptr) (pid uintptr, errno syscall.Errno) {
	pid, _, errno = syscall.RawSyscall6(*word(step + StepCall), *word(step + StepArgs)&^syscall.CLONE_VM, 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	step = *word(step + StepJump)
	for *word(Base + Failed) == 0 {
		a := (*[6]uintptr)(address(step + StepArgs))
		result, _, errno := syscall.RawSyscall6(*word(step + StepCall), a[0], a[1], a[2], a[3], a[4], a[5])
		step = after(step, result, errno)
	}
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 1, 0, 0)
	}
}

// after returns the step that comes next, 0 if there is none.
//
//go:nosplit
//go:norace
func after(step, result uintptr, errno syscall.Errno) uintptr {
	if errno != 0 {
		return fail(step, uintptr(errno))
	}
	if at := *word(step + StepStore); at != 0 {
		*(*uint32)(address(at)) = uint32(result)
	}
	kind := Kind(*word(step + StepKind))
	switch {
	case kind == Jump:
		return *word(step + StepJump)
	case kind == Wait && uint32(result) != uint32(*word(Base + PID)), kind == Drain && result != 0:
		return step
	}
	return step + StepSize
}

//go:nosplit
//go:norace
func fail(step, errno uintptr) uintptr {
	if *word(step + StepIgnore)>>min(errno, 63)&1 != 0 {
		return *word(step + StepJump)
	}
	if *word(Base + Failed) != 0 {
		return 0
	}
	*word(Base + Failed) = step
	*word(Base + Errno) = errno
	return *word(Base + OnFailure)
}
