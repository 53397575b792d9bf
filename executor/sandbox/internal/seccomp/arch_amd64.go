package seccomp

import "golang.org/x/sys/unix"

const (
	arch         = unix.AUDIT_ARCH_X86_64
	foreignCalls = 0x40000000 // and above: the x32 ABI
)
