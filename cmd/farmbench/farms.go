package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const ours = "kvfarm"

// errUnwanted is of a farm that nobody has asked for.
var errUnwanted = errors.New("not asked for")

// farms are all that we know how to start, ours first. That casd and justbuild
// do not flush was seen by strace, under the load of the first row; that bazel-remote does
// is what its source says: casblob.go syncs each file.
var farms = []farm{
	{name: ours, command: kvfarm, flushes: unlessLazy},
	{name: "before", command: before, flushes: unlessLazy},
	{name: "Buildbarn", command: buildbarn, split: true},
	{name: "Buildbarn-native", command: barnRunner("native"), split: true},
	{name: "Buildbarn-fuse", command: barnRunner("fuse"), split: true},
	{name: "bazel-remote", command: bazelRemote, flushes: always},
	{name: "buildbox-casd", command: casd},
	{name: "justbuild", command: just},
}

func always(*settings) bool { return true }

// unlessLazy is whether ours flushes, which it can be told not to do.
func unlessLazy(s *settings) bool {
	args := strings.Join(s.args, " ")
	return !strings.Contains(args, "--durability process") && !strings.Contains(args, "--durability=process")
}

// kvfarm is ours as a small farm has it: everything in one process, its
// defaults, what is acknowledged is on disk.
func kvfarm(s *settings, a addresses, dir string) (*exec.Cmd, error) {
	path, err := built(s, "kvfarm")
	if err != nil {
		return nil, err
	}
	return exec.Command(path, serve(a.executor, dir, s.args)...), nil
}

// before is ours as it was.
func before(s *settings, a addresses, dir string) (*exec.Cmd, error) {
	if s.before == "" {
		return nil, errUnwanted
	}
	return exec.Command(s.before, serve(a.executor, dir, s.args)...), nil
}

func serve(addr, dir string, more []string) []string {
	return append([]string{"serve", "--listen", addr, "--state", dir, "--workers", "1"}, more...)
}

// buildbarn is a scheduler, two workers with our sandbox as their runner, and our
// server as its store.
func buildbarn(s *settings, a addresses, dir string) (*exec.Cmd, error) {
	if s.barn == "" {
		return nil, errors.New("-buildbarn names no script")
	}
	script, err := filepath.Abs(s.barn)
	if err != nil {
		return nil, err
	}
	return exec.Command(script, dir, a.executor, a.store), nil
}

// barnRunner is the same with Buildbarn's own runner, which runs actions in no
// sandbox, in folders of hard links ("native") or in such as read what is looked at ("fuse").
func barnRunner(kind string) func(*settings, addresses, string) (*exec.Cmd, error) {
	return func(s *settings, a addresses, dir string) (*exec.Cmd, error) {
		c, err := buildbarn(s, a, dir)
		if err != nil {
			return nil, err
		}
		c.Env = append(os.Environ(), "BUILDBARN_RUNNER="+kind)
		return c, nil
	}
}

// bazelRemote stores blobs as they come: its default, zstd, would be measured
// on bytes that cannot be compressed.
func bazelRemote(s *settings, a addresses, dir string) (*exec.Cmd, error) {
	path, err := built(s, "bazel-remote")
	if err != nil {
		return nil, err
	}
	return exec.Command(path, "--dir", dir, "--max_size", "20", "--grpc_address", a.executor, "--http_address", "unix://"+filepath.Join(dir, "http"),
		"--storage_mode", "uncompressed", "--access_log_level", "none"), nil
}

func built(s *settings, name string) (string, error) {
	path := filepath.Join(s.bin, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w; `make bench-farm` builds it", err)
	}
	return path, nil
}

// casd runs actions in bubblewrap's namespaces: without a runner it is a cache.
func casd(s *settings, a addresses, dir string) (*exec.Cmd, error) {
	return inRoot(s, dir, "buildbox-casd", "--bind="+a.executor, "--buildbox-run=/usr/bin/buildbox-run-bubblewrap", "/mnt")
}

// just runs actions without a sandbox: it has none.
func just(s *settings, a addresses, dir string) (*exec.Cmd, error) {
	_, port, err := net.SplitHostPort(a.executor)
	if err != nil {
		return nil, err
	}
	return inRoot(s, dir, "justbuild", "execute", "--compatible", "--interface", "127.0.0.1", "--port", port, "--local-build-root", "/mnt")
}

// enter has a program run in a root that is not written to, with a folder as
// its /mnt, and the machine's network. Its mounts end with it. A root of mounts,
// not of chroot: bubblewrap makes its own only from such a one.
const enter = `
	root=$1 dir=$2
	shift 2
	mount --bind "$root" "$root"
	mount --rbind "$dir" "$root/mnt"
	mount --rbind /proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs none "$root/tmp"
	cd "$root"
	PATH=$PATH:/usr/sbin:/sbin pivot_root . .
	umount -l .
	exec /usr/bin/env -i HOME=/mnt PATH=/usr/bin:/bin "$@"`

// inRoot is a program of the distribution's. It is the process that is started,
// not a child of it, so that its time and memory can be read.
func inRoot(s *settings, dir, name string, args ...string) (*exec.Cmd, error) {
	if s.root == "" {
		return nil, errors.New("-root names no root that it is in")
	}
	if _, err := os.Stat(filepath.Join(s.root, "usr/bin", name)); err != nil {
		return nil, fmt.Errorf("%w; `kvfarm toolchain make clients` installs it", err)
	}
	all := []string{"--mount", "sh", "-euc", enter, "sh", s.root, dir, name}
	if os.Getuid() != 0 {
		all = append([]string{"--user", "--map-root-user"}, all...)
	}
	return exec.Command("unshare", append(all, args...)...), nil
}
