package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// hostile acts are what no command should get far with.
var hostile = map[string]func(args []string) error{
	"calls":    func([]string) error { return calls() },
	"foreign":  func(args []string) error { return foreign(args[0]) },
	"bomb":     func([]string) error { return bomb() },
	"deaf":     deaf,
	"deep":     deep,
	"sparse":   sparse,
	"links":    links,
	"memfd":    memfd,
	"shared":   shared,
	"lock":     func(args []string) error { return os.Chmod(args[0], 0) },
	"whiteout": func(args []string) error { return syscall.Mknod(args[0], syscall.S_IFCHR, 0) },
	"names":    names,
	"suid": func(args []string) error {
		return syscall.Exec(args[0], args, os.Environ())
	},
}

// calls makes system calls that are none of a command's business, and prints
// what each comes to. Where the arguments are wrong the kernel says so only
// after it has let the call in.
func calls() error {
	self, nobody := uintptr(os.Getpid()), uintptr(1<<30) // no process has that number
	for _, c := range []struct {
		name string
		nr   uintptr
		args [3]uintptr
	}{
		{"add_key", unix.SYS_ADD_KEY, [3]uintptr{}},
		{"bpf", unix.SYS_BPF, [3]uintptr{}},
		{"clone(user)", unix.SYS_CLONE, [3]uintptr{unix.CLONE_NEWUSER | unix.CLONE_THREAD}},
		{"clone3", unix.SYS_CLONE3, [3]uintptr{}},
		{"fsopen", unix.SYS_FSOPEN, [3]uintptr{}},
		{"init_module", unix.SYS_INIT_MODULE, [3]uintptr{}},
		{"io_uring_setup", unix.SYS_IO_URING_SETUP, [3]uintptr{}},
		{"kexec_load", unix.SYS_KEXEC_LOAD, [3]uintptr{}},
		{"keyctl", unix.SYS_KEYCTL, [3]uintptr{unix.KEYCTL_GET_KEYRING_ID}},
		{"mount", unix.SYS_MOUNT, [3]uintptr{}},
		{"open_by_handle_at", unix.SYS_OPEN_BY_HANDLE_AT, [3]uintptr{}},
		{"perf_event_open", unix.SYS_PERF_EVENT_OPEN, [3]uintptr{}},
		{"personality", unix.SYS_PERSONALITY, [3]uintptr{0x0400000}}, // READ_IMPLIES_EXEC
		{"personality(ask)", unix.SYS_PERSONALITY, [3]uintptr{0xffffffff}},
		{"process_vm_readv", unix.SYS_PROCESS_VM_READV, [3]uintptr{self}},
		{"ptrace(attach)", unix.SYS_PTRACE, [3]uintptr{unix.PTRACE_ATTACH, nobody}},
		{"ptrace(seize)", unix.SYS_PTRACE, [3]uintptr{unix.PTRACE_SEIZE, nobody}},
		{"setns", unix.SYS_SETNS, [3]uintptr{}},
		{"socket(alg)", unix.SYS_SOCKET, [3]uintptr{unix.AF_ALG, unix.SOCK_SEQPACKET}},
		{"socket(packet)", unix.SYS_SOCKET, [3]uintptr{unix.AF_PACKET, unix.SOCK_RAW}},
		{"socket(vsock)", unix.SYS_SOCKET, [3]uintptr{unix.AF_VSOCK, unix.SOCK_STREAM}},
		{"socket(inet)", unix.SYS_SOCKET, [3]uintptr{unix.AF_INET, unix.SOCK_STREAM}},
		{"unshare(user)", unix.SYS_UNSHARE, [3]uintptr{unix.CLONE_NEWUSER}},
		{"unshare(files)", unix.SYS_UNSHARE, [3]uintptr{unix.CLONE_FS}},
		{"userfaultfd", unix.SYS_USERFAULTFD, [3]uintptr{}},
	} {
		_, _, errno := syscall.RawSyscall(c.nr, c.args[0], c.args[1], c.args[2])
		if errno == 0 {
			fmt.Println(c.name, "is allowed")
		} else {
			fmt.Println(c.name, unix.ErrnoName(errno))
		}
	}
	return nil
}

// elf32 is the head of a program of the i386 architecture, in which are the
// calls of another filter: exit(0) by interrupt 0x80.
var elf32 = append([]byte{
	0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 0x04, 0x08, 52, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x04, 0x08, 0, 0x80, 0x04, 0x08,
	96, 0, 0, 0, 96, 0, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0,
}, 0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80, 0x90, 0x90, 0x90)

// foreign becomes a program of another architecture.
func foreign(name string) error {
	if err := os.WriteFile(name, elf32, 0o755); err != nil {
		return err
	}
	return syscall.Exec(name, []string{name}, nil)
}

// bomb starts bombs, and does not stop when that is refused.
func bomb() error {
	for {
		_ = exec.Command("/proc/self/exe", "bomb").Start() // the next one may be let
	}
}

// deaf ignores every signal that can be ignored, and sleeps.
func deaf(args []string) error {
	signal.Ignore()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return err
	}
	fmt.Println("deaf")
	return sleep(args)
}

// deep makes that many folders below one another.
func deep(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for range n {
		if err := os.Mkdir(args[0], 0o755); err != nil {
			return err
		}
		if err := os.Chdir(args[0]); err != nil {
			return err
		}
	}
	return nil
}

// sparse makes a file of that many GiB with nothing in it.
func sparse(args []string) error {
	gib, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return err
	}
	f, err := os.Create(args[0])
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(gib<<30), f.Close())
}

// links gives a file that many more names in a folder.
func links(args []string) error {
	n, err := strconv.Atoi(args[2])
	for i := 0; i < n && err == nil; i++ {
		err = os.Link(args[0], filepath.Join(args[1], strconv.Itoa(i)))
	}
	return err
}

// memfd fills that many MiB of a file that has no name.
func memfd(args []string) error {
	mib, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	fd, err := unix.MemfdCreate("", 0)
	if err != nil {
		return err
	}
	page := make([]byte, 1<<20)
	for range mib {
		if _, err := unix.Write(fd, page); err != nil {
			return err
		}
	}
	return nil
}

// shared fills that many MiB of mappings that children would share.
func shared(args []string) error {
	mib, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	for range mib {
		m, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
		if err != nil {
			return err
		}
		for i := 0; i < len(m); i += 4096 {
			m[i] = 1
		}
	}
	return nil
}

// names makes files with names that are odd but allowed.
func names(args []string) error {
	for _, n := range oddNames() {
		if err := os.WriteFile(filepath.Join(args[0], n), []byte(n), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func oddNames() []string {
	long := make([]byte, unix.NAME_MAX)
	for i := range long {
		long[i] = 'n'
	}
	return []string{"a\nb", "\x1b[2J", "-rf", "a\\b", "a:b,c", "\u202e", " ", "...", string(long)}
}
