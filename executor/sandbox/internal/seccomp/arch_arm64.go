package seccomp

import "golang.org/x/sys/unix"

const (
	arch         = unix.AUDIT_ARCH_AARCH64
	foreignCalls = 0 // none
)

// archRules are of calls that other architectures never had.
var archRules []Rule
