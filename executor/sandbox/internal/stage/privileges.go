package stage

import (
	"syscall"
	"unsafe"
)

// Numbers of the kernel's headers that package syscall lacks.
const (
	prSetNoNewPrivs      = 38
	prCapbsetDrop        = 24
	prCapAmbient         = 47
	prCapAmbientClearAll = 4
	capabilityVersion3   = 0x20080522
	lastCapability       = 63
	iffUp                = 1
	sysCloseRange        = 436
	closeRangeCloexec    = 4
	seccompModeFilter    = 2
	bytesPerInstruction  = 8
)

// dropPrivileges makes sure that no child of this thread gains a privilege,
// by a set-user-ID program or otherwise. The process itself keeps its own, and
// is not to be traced or read by the command.
func dropPrivileges() error {
	if err := prctl(syscall.PR_SET_DUMPABLE, 0); err != nil {
		return in("hide process 1", err)
	}
	for c := uintptr(0); c <= lastCapability; c++ {
		if err := prctl(prCapbsetDrop, c); err == syscall.EINVAL {
			break // the kernel knows no more
		} else if err != nil {
			return in("drop capabilities", err)
		}
	}
	if err := prctl(prCapAmbient, prCapAmbientClearAll); err != nil {
		return in("clear ambient capabilities", err)
	}
	if err := clearInheritable(); err != nil {
		return in("clear inheritable capabilities", err)
	}
	if err := prctl(prSetNoNewPrivs, 1); err != nil {
		return in("set no_new_privs", err)
	}
	return nil
}

// filterCalls puts this thread, and what it starts from now on, under a filter.
// Process 1 makes none of the calls that are filtered after it.
func filterCalls(filter string) error {
	program := syscall.SockFprog{
		Len:    uint16(len(filter) / bytesPerInstruction),
		Filter: (*syscall.SockFilter)(unsafe.Pointer(unsafe.StringData(filter))),
	}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, syscall.PR_SET_SECCOMP, seccompModeFilter, uintptr(unsafe.Pointer(&program)), 0, 0, 0)
	if errno != 0 {
		return in("filter system calls (the kernel needs CONFIG_SECCOMP_FILTER)", errno)
	}
	return nil
}

// clearInheritable leaves this thread's other sets of capabilities as they are.
func clearInheritable() error {
	header := struct {
		version uint32
		pid     int32
	}{version: capabilityVersion3}
	var sets [2]struct{ effective, permitted, inheritable uint32 }
	h, s := unsafe.Pointer(&header), unsafe.Pointer(&sets)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(h), uintptr(s), 0); errno != 0 {
		return errno
	}
	for i := range sets {
		sets[i].inheritable = 0
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(h), uintptr(s), 0); errno != 0 {
		return errno
	}
	return nil
}

// closeOnExec keeps the descriptors that the worker was started with, and our
// own, from the command.
func closeOnExec() error {
	if _, _, errno := syscall.RawSyscall(sysCloseRange, 3, uintptr(^uint32(0)), closeRangeCloexec); errno != 0 {
		return in("close descriptors (Linux 5.11 is needed)", errno)
	}
	return nil
}

func prctl(option, arg uintptr) error {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, option, arg, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// loopbackUp makes 127.0.0.1 work; there is no other interface.
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	request := struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{flags: iffUp}
	copy(request.name[:], "lo")
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}
