package sandboxtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/seccomp"
)

// Refusal is a way in which machines refuse sandboxes.
type Refusal string

// The ways that are met in practice.
const (
	// Namespaces cannot be made, as by the filter that container engines install.
	Namespaces Refusal = "namespaces"
	// Mounts are refused though namespaces are not, as by AppArmor.
	Mounts Refusal = "mounts"
	// Limit allows no more mount namespaces, as user.max_mnt_namespaces does.
	Limit Refusal = "limit"
	// NoClone3 is a container on a machine with version 2 of cgroups, whose filter
	// does not know clone3. Sandboxes can be had there, control groups cannot. (It
	// says ENOSYS; filters that said EPERM broke every program of glibc's.)
	NoClone3 Refusal = "no clone3"
)

const refuseEnv = "KVFARM_TEST_REFUSE"

// Refuse returns a command that runs a program on such a machine until ctx
// ends. It starts this test's program again, which takes it from there.
func Refuse(ctx context.Context, how Refusal, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", append([]string{program}, args...)...)
	cmd.Env = append(os.Environ(), refuseEnv+"="+string(how))
	one := func(id int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: id, Size: 1}} }
	own := syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: one(os.Getuid()), GidMappings: one(os.Getgid())}
	switch {
	case how == Limit: // it holds in a user namespace of its own
		cmd.SysProcAttr = &own
	case how != NoClone3:
	case os.Getuid() == 0: // other mounts
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	default:
		own.Cloneflags |= syscall.CLONE_NEWNS
		own.UidMappings[0].ContainerID, own.GidMappings[0].ContainerID = os.Getuid(), os.Getgid()
		own.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
		cmd.SysProcAttr = &own
	}
	return cmd
}

func init() {
	how, ok := os.LookupEnv(refuseEnv)
	if !ok {
		return
	}
	_ = os.Unsetenv(refuseEnv)
	err := Refusal(how).begin()
	if err == nil {
		err = run(os.Args[1:])
	}
	fmt.Fprintln(os.Stderr, "refuse:", err)
	os.Exit(99)
}

// run becomes another program.
func run(argv []string) error {
	program, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	return syscall.Exec(program, argv, os.Environ())
}

func (r Refusal) begin() error {
	const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNET | unix.CLONE_NEWUSER
	switch r {
	case Namespaces:
		return seccomp.New([]seccomp.Rule{
			{Call: unix.SYS_CLONE, Errno: unix.EPERM, Uses: seccomp.With(0, namespaces)},
			{Call: unix.SYS_CLONE3, Errno: unix.ENOSYS},
			{Call: unix.SYS_UNSHARE, Errno: unix.EPERM},
		}).Install()
	case Mounts:
		return seccomp.New([]seccomp.Rule{{Call: unix.SYS_MOUNT, Errno: unix.EACCES}}).Install()
	case Limit:
		return LimitNamespaces(0)
	case NoClone3:
		return withoutClone3()
	}
	return fmt.Errorf("no such refusal: %q", r)
}

// withoutClone3 makes this machine look as if it had version 2 of cgroups, and
// refuses the call that starts processes in them.
func withoutClone3() error {
	const mount = "/sys/fs/cgroup"
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", mount, "tmpfs", 0, ""); err != nil {
		return err
	}
	if err := os.WriteFile(mount+"/cgroup.controllers", []byte("memory pids\n"), 0o644); err != nil {
		return err
	}
	return seccomp.New([]seccomp.Rule{{Call: unix.SYS_CLONE3, Errno: unix.ENOSYS}}).Install()
}

// LimitNamespaces sets how many mount namespaces the present user namespace
// may have, which must be one of its own.
func LimitNamespaces(n int) error {
	return os.WriteFile("/proc/sys/user/max_mnt_namespaces", fmt.Append(nil, n), 0o644)
}
