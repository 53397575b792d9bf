package seccomp

import "golang.org/x/sys/unix"

const (
	arch         = unix.AUDIT_ARCH_X86_64
	foreignCalls = 0x40000000 // and above: the x32 ABI
)

// archRules are of calls that other architectures never had.
var archRules = []Rule{
	{Call: unix.SYS_IOPL, Errno: unix.EPERM},
	{Call: unix.SYS_IOPERM, Errno: unix.EPERM},
	{Call: unix.SYS_MODIFY_LDT, Errno: unix.ENOSYS},
	{Call: unix.SYS_USELIB, Errno: unix.ENOSYS},
	{Call: unix.SYS_USTAT, Errno: unix.ENOSYS},
	{Call: unix.SYS_SYSFS, Errno: unix.ENOSYS},
	{Call: unix.SYS__SYSCTL, Errno: unix.ENOSYS},
}
