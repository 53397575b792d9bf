// Command actor does one small thing, as its first argument says. Tests run it
// in sandboxes.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var acts = map[string]func(args []string) error{
	"nothing": func([]string) error { return nil },
	"exit": func(args []string) error {
		code, err := strconv.Atoi(args[0])
		if err == nil {
			os.Exit(code)
		}
		return err
	},
	"echo":    func(args []string) error { fmt.Println(strings.Join(args, " ")); return nil },
	"cat":     cat,
	"ls":      func(args []string) error { return ls(args[0]) },
	"write":   func(args []string) error { return os.WriteFile(args[0], []byte(args[1]), 0o644) },
	"append":  appendTo,
	"mkdir":   func(args []string) error { return os.MkdirAll(args[0], 0o755) },
	"rename":  func(args []string) error { return os.Rename(args[0], args[1]) },
	"remove":  func(args []string) error { return os.RemoveAll(args[0]) },
	"chmod":   func(args []string) error { return os.Chmod(args[0], 0o777) },
	"link":    func(args []string) error { return os.Link(args[0], args[1]) },
	"symlink": func(args []string) error { return os.Symlink(args[0], args[1]) },
	"fifo":    func(args []string) error { return syscall.Mkfifo(args[0], 0o644) },
	"socket":  func(args []string) error { _, err := net.Listen("unix", args[0]); return err },
	"device":  func(args []string) error { return syscall.Mknod(args[0], syscall.S_IFBLK|0o666, 8<<8) },
	"mount":   func(args []string) error { return syscall.Mount("tmpfs", args[0], "tmpfs", 0, "") },
	"remount": func(args []string) error {
		return syscall.Mount("", args[0], "", syscall.MS_REMOUNT|syscall.MS_BIND, "")
	},
	"setuid":   func([]string) error { return syscall.Setuid(0) },
	"dial":     func(args []string) error { _, err := net.DialTimeout("tcp", args[0], 2*time.Second); return err },
	"loopback": loopback,
	"env":      func([]string) error { return lines(os.Environ()) },
	"id":       id,
	"spam":     spam,
	"sleep":    sleep,
	"spawn":    spawn,
	"forks":    forks,
	"allocate": allocate,
	"burn":     burn,
	"fill":     fill,
	"files":    files,
	"fds":      fds,
	"oddname":  func(args []string) error { return os.WriteFile(args[0]+"/\xff", nil, 0o644) },
	"oddlink":  func(args []string) error { return os.Symlink("\xff", args[0]) },
	"add":      add,
	"tree":     func(args []string) error { return tree(args[0]) },
	"die":      func([]string) error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) },
}

func main() {
	acts["sequence"] = sequence
	maps.Copy(acts, hostile)
	maps.Copy(acts, networking)
	if len(os.Args) < 2 || acts[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "actor: no such act")
		os.Exit(2)
	}
	if err := acts[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "actor:", err)
		os.Exit(1)
	}
}

// sequence plays several acts, separated by commas.
func sequence(args []string) error {
	for len(args) > 0 {
		end := slices.Index(args, ",")
		if end < 0 {
			end = len(args)
		}
		if err := acts[args[0]](args[1:end]); err != nil {
			return err
		}
		args = args[min(end+1, len(args)):]
	}
	return nil
}

func lines(ls []string) error {
	slices.Sort(ls)
	fmt.Println(strings.Join(ls, "\n"))
	return nil
}

func cat(args []string) error {
	for _, name := range args {
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := os.Stdout.Write(body); err != nil {
			return err
		}
	}
	return nil
}

func ls(dir string) error {
	return filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			fmt.Println(name, err)
			return fs.SkipDir
		}
		if name == "/proc" && dir == "/" {
			return fs.SkipDir
		}
		fmt.Println(name)
		return nil
	})
}

func appendTo(args []string) error {
	f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(args[1]); err != nil {
		return err
	}
	return f.Close()
}

// loopback talks to itself over 127.0.0.1.
func loopback([]string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	return c.Close()
}

func id([]string) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	fmt.Println("uid", os.Getuid(), "gid", os.Getgid(), "host", host, "dir", wd)
	for l := range strings.Lines(string(status)) {
		if strings.HasPrefix(l, "Cap") || strings.HasPrefix(l, "NoNewPrivs") {
			fmt.Print(strings.Join(strings.Fields(l), " "), "\n")
		}
	}
	return nil
}

func spam(args []string) error {
	n, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, io.LimitReader(zeros{}, n))
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func sleep(args []string) error {
	d, err := time.ParseDuration(args[0])
	time.Sleep(d)
	return err
}

// spawn starts an act in a session of its own and leaves it behind.
func spawn(args []string) error {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Start()
}

// forks starts sleepers until that is refused, and says how many there were.
func forks(args []string) error {
	limit, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	spareThreads(16)
	for n := range limit {
		if err := exec.Command("/proc/self/exe", "sleep", "1h").Start(); err != nil {
			fmt.Println("refused after", n)
			return nil
		}
	}
	return fmt.Errorf("%d forks were allowed", limit)
}

// spareThreads has the runtime make n threads, which it keeps: it dies if it wants
// one where no more are allowed.
func spareThreads(n int) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() { _ = syscall.Nanosleep(&syscall.Timespec{Nsec: 50_000_000}, nil) })
	}
	all.Wait()
}

// allocate uses that many MiB of memory.
func allocate(args []string) error {
	mib, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	var all [][]byte
	for range mib {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
	}
	fmt.Println("allocated", len(all), "MiB")
	return nil
}

// burn uses that much processor time.
func burn(args []string) error {
	d, err := time.ParseDuration(args[0])
	for err == nil {
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			return err
		}
		if time.Duration(used.Utime.Nano()+used.Stime.Nano()) > d {
			break
		}
	}
	return err
}

// fill writes that many MiB to a file.
func fill(args []string) error {
	mib, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return err
	}
	f, err := os.Create(args[0])
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.LimitReader(zeros{}, mib<<20))
	return errors.Join(err, f.Close())
}

// files makes that many empty files in a folder.
func files(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for i := range n {
		f, err := os.Create(filepath.Join(args[0], strconv.Itoa(i)))
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// fds lists the open descriptors with what they are, less the one that it
// reads the list with.
func fds([]string) error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil {
			kind, _, _ := strings.Cut(target, ":")
			fmt.Println(e.Name(), kind)
		}
	}
	return nil
}

// add prints the sum of the numbers in files.
func add(names []string) error {
	sum := 0
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(body))
		if err != nil {
			return err
		}
		sum += n
	}
	fmt.Print(sum)
	return nil
}

// tree prints what is below dir, sorted by path where a folder ends in a slash:
// files with their content, links with "->" and their target.
func tree(dir string) error {
	var out []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		content, err := contentOf(name, e)
		if e.IsDir() {
			name += "/"
		}
		out = append(out, strings.TrimPrefix(name, dir+"/")+"\x00"+content)
		return err
	})
	slices.SortFunc(out, func(a, b string) int {
		a, _, _ = strings.Cut(a, "\x00")
		b, _, _ = strings.Cut(b, "\x00")
		return strings.Compare(a, b)
	})
	for _, l := range out {
		name, content, _ := strings.Cut(l, "\x00")
		fmt.Printf("%s %q\n", strings.TrimSuffix(name, "/"), content)
	}
	return err
}

func contentOf(name string, e fs.DirEntry) (string, error) {
	switch {
	case e.IsDir():
		return "", nil
	case e.Type() == fs.ModeSymlink:
		target, err := os.Readlink(name)
		return "->" + target, err
	default:
		body, err := os.ReadFile(name)
		return string(body), err
	}
}
