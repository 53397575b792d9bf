package seccomp

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Policy is what no action needs, and what reaches past namespaces or has let
// users into the kernel before. Capabilities would hold back much of it as
// well; two locks are better than one. The rules in more join them.
func Policy(more ...Rule) Filter { return New(slices.Concat(rules(), archRules, more)) }

func rules() (rs []Rule) {
	for _, c := range forbidden {
		rs = append(rs, Rule{Call: c, Errno: unix.EPERM})
	}
	for _, c := range absent {
		rs = append(rs, Rule{Call: c, Errno: unix.ENOSYS})
	}
	return append(rs, partly...)
}

// forbidden calls fail with EPERM.
var forbidden = []uintptr{
	// mounts, of which an action has all that it may have
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT,
	unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_FANOTIFY_INIT,
	unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT,
	// other namespaces
	unix.SYS_SETNS,
	// other processes
	unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
	unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES,
	// the machine
	unix.SYS_REBOOT, unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX,
	unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_SYSLOG, unix.SYS_VHANGUP,
	// keys are kept by user, not by namespace
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	// programs and events inside the kernel
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
}

// absent calls fail with ENOSYS, on which programs take an older way.
var absent = []uintptr{
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_CLONE3, // its flags are out of a filter's sight
}

const (
	newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS |
		unix.CLONE_NEWNET | unix.CLONE_NEWUSER | unix.CLONE_NEWCGROUP
	askPersonality  = 0xffffffff
	addrNoRandomize = 0x0040000
)

// partly are calls of which some uses are refused.
var partly = []Rule{
	{unix.SYS_CLONE, unix.EPERM, With(0, newNamespaces)}, // the bit of a time namespace means a signal here
	{unix.SYS_UNSHARE, unix.EPERM, With(0, newNamespaces|unix.CLONE_NEWTIME)},
	// A process may trace the ones it started, who ask for it; not all others of its user.
	{unix.SYS_PTRACE, unix.EPERM, In(0, unix.PTRACE_ATTACH, unix.PTRACE_SEIZE)},
	// Of all kinds of sockets these are in the network namespace and in wide use.
	// The virtual machine's own, AF_VSOCK, would reach the host.
	{unix.SYS_SOCKET, unix.EAFNOSUPPORT, NotIn(0, unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK)},
	{unix.SYS_SOCKETPAIR, unix.EAFNOSUPPORT, NotIn(0, unix.AF_UNIX)},
	{unix.SYS_PERSONALITY, unix.EPERM, NotIn(0, 0, addrNoRandomize, askPersonality)},
	{unix.SYS_IOCTL, unix.EPERM, In(1, unix.TIOCSTI, tiocLinux)}, // input for whoever has the terminal next
}

const tiocLinux = 0x541c

// Uncounted are the ways to memory that no resource limit of a process counts.
// Where there is no control group to count it they are refused.
var Uncounted = []Rule{
	{Call: unix.SYS_MEMFD_CREATE, Errno: unix.ENOSYS},
	{Call: unix.SYS_MEMFD_SECRET, Errno: unix.ENOSYS},
	{Call: unix.SYS_SHMGET, Errno: unix.ENOSYS},
	{unix.SYS_MMAP, unix.ENOMEM, WithAll(3, unix.MAP_SHARED|unix.MAP_ANONYMOUS)},
}
