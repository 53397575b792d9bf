package setup

import "golang.org/x/sys/unix"

// lastCapability is more than any kernel knows.
const lastCapability = 63

// bytesPerInstruction is the size of struct sock_filter.
const bytesPerInstruction = 8

// restrict takes from the first thread's children what they are not to have.
func (p *Program) restrict(s *Spec) {
	// The descriptors that the worker was started with, and our own.
	p.doing("close descriptors (Linux 5.11 is needed)")
	p.call(unix.SYS_CLOSE_RANGE, 3, uint64(^uint32(0)), unix.CLOSE_RANGE_CLOEXEC)
	p.dropPrivileges()
	// Process 1 makes none of the calls that are filtered after it.
	p.doing("filter system calls (the kernel needs CONFIG_SECCOMP_FILTER)")
	filter := p.words(uint64(len(s.Filter)/bytesPerInstruction), p.bytes([]byte(s.Filter))) // struct sock_fprog
	p.call(unix.SYS_PRCTL, unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, filter)
}

// dropPrivileges makes sure that no child of the first thread gains a privilege,
// by a set-user-ID program or otherwise. The process itself keeps its own, and
// is not to be traced or read by the command.
func (p *Program) dropPrivileges() {
	p.doing("hide process 1")
	p.prctl(unix.PR_SET_DUMPABLE, 0)
	p.doing("drop capabilities")
	first := p.next()
	for c := range uint64(lastCapability + 1) {
		p.prctl(unix.PR_CAPBSET_DROP, c).ignoring(unix.EINVAL) // the kernel knows no more
	}
	for l := first; l < p.next(); l++ {
		p.steps[l].jump = p.next()
	}
	p.doing("clear ambient capabilities")
	p.prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL)
	p.clearInheritable()
	p.doing("set no_new_privs")
	p.prctl(unix.PR_SET_NO_NEW_PRIVS, 1)
}

// clearInheritable leaves the first thread's other sets of capabilities as they
// are: each of the two parts of what capget yields has three words of 32 bits,
// of which the last is the inheritable ones.
func (p *Program) clearInheritable() {
	p.doing("clear inheritable capabilities")
	header := p.words(unix.LINUX_CAPABILITY_VERSION_3) // and process 0, which is this one
	sets := p.bytes(make([]byte, 2*12))
	p.call(unix.SYS_CAPGET, header, sets)
	for part := range uint64(2) {
		p.zero(sets + part*12 + 8)
	}
	p.call(unix.SYS_CAPSET, header, sets)
}
