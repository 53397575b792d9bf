package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	sdk "github.com/bazelbuild/remote-apis-sdks/go/pkg/client"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// farm is one of the servers to compare.
type farm struct {
	name string
	// command serves and keeps its state in dir. An error says why it cannot be
	// had here.
	command func(s *settings, a addresses, dir string) (*exec.Cmd, error)
	split   bool // its store has an address of its own, and is not its own
	// flushes says whether what it acknowledges is on disk; nil: it is not.
	flushes func(s *settings) bool
}

// addresses are where a farm is to answer; both are one unless it is split.
type addresses struct{ executor, store string }

// target is a farm that runs.
type target struct {
	name     string
	addr     addresses
	cmd      *exec.Cmd
	log      string
	exited   chan struct{}
	client   *sdk.Client
	executes bool   // it runs actions
	stores   bool   // its store is its own
	flushes  bool   // what it acknowledges is on disk
	updates  bool   // its action cache may be written to by clients
	profile  string // address for profiles; "": none are wanted
}

// startAll starts the farms that can be had, ours first. Ours must be there.
func startAll(ctx context.Context, s *settings, dir string) ([]*target, error) {
	var targets []*target
	for _, f := range farms {
		if !s.only.MatchString(f.name) {
			continue
		}
		t, err := start(ctx, s, f, filepath.Join(dir, f.name))
		if err == nil {
			targets = append(targets, t)
			continue
		}
		if f.name == ours {
			return targets, err
		}
		if errors.Is(err, errUnwanted) {
			continue
		}
		fmt.Fprintf(os.Stderr, "farmbench: without %s: %v\n", f.name, err)
	}
	if len(targets) == 0 || targets[0].name != ours {
		return targets, fmt.Errorf("-farms leaves out %s", ours)
	}
	return targets, nil
}

func start(ctx context.Context, s *settings, f farm, dir string) (*target, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	a, err := f.addresses()
	if err != nil {
		return nil, err
	}
	t := &target{name: f.name, addr: a, stores: !f.split, log: dir + ".log", exited: make(chan struct{})}
	t.flushes = f.flushes != nil && f.flushes(s)
	if f.name == ours && s.pprof != "" {
		if t.profile, err = freeAddr(); err != nil {
			return nil, err
		}
		with := *s
		with.args = append(slices.Clone(s.args), "--http", t.profile, "--pprof")
		s = &with
	}
	if t.cmd, err = f.command(s, a, dir); err != nil {
		return nil, err
	}
	if err := t.spawn(); err != nil {
		return nil, err
	}
	if err := t.connect(ctx); err != nil {
		t.stop()
		tail, _ := os.ReadFile(t.log)
		return nil, fmt.Errorf("%w; it says: %s", err, tail[max(0, len(tail)-2000):])
	}
	return t, nil
}

func (f farm) addresses() (a addresses, err error) {
	if a.executor, err = freeAddr(); err != nil || !f.split {
		return addresses{a.executor, a.executor}, err
	}
	a.store, err = freeAddr()
	return a, err
}

// freeAddr returns a loopback address that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// spawn starts the server in a process group of its own, which ends with it and
// with us, even if we are killed: for that the thread that starts it must live
// as long as we do.
func (t *target) spawn() error {
	log, err := os.Create(t.log)
	if err != nil {
		return err
	}
	defer log.Close()
	t.cmd.Stdout, t.cmd.Stderr = log, log
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- t.cmd.Start()
		if t.cmd.Process == nil {
			return
		}
		_ = t.cmd.Wait() // how it ends is of no interest
		close(t.exited)
		select {} // the thread stays
	}()
	return <-started
}

const (
	patience = 5 * time.Minute // for a server to answer, which may be built first
	grace    = 5 * time.Second // for it to end by itself
)

// connect waits until the server answers.
func (t *target) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := grpc.NewClient(t.addr.executor, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		caps, err := repb.NewCapabilitiesClient(conn).GetCapabilities(ctx, &repb.GetCapabilitiesRequest{})
		if err == nil {
			t.executes = caps.GetExecutionCapabilities().GetExecEnabled()
			t.updates = caps.GetCacheCapabilities().GetActionCacheUpdateCapabilities().GetUpdateEnabled()
			break
		}
		select {
		case <-t.exited:
			return fmt.Errorf("%s has ended", t.name)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s does not answer", t.name), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.client, err = sdk.NewClient(context.WithoutCancel(ctx), "", sdk.DialParams{Service: t.addr.executor, CASService: t.addr.store, NoSecurity: true}, sdk.StartupCapabilities(false))
	return err
}

func stopAll(targets []*target) {
	for _, t := range targets {
		t.stop()
	}
}

// stop ends the server and all of its process group.
func (t *target) stop() {
	if t.client != nil {
		_ = t.client.Close()
	}
	group := -t.cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-t.exited:
	case <-time.After(grace):
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
	<-t.exited
}

// cpu returns the processor time of the server's process group, and of the
// children that each of it has waited for.
func (t *target) cpu() (time.Duration, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended; whoever waits for it has its time
		}
		fields := bytes.Fields(body[bytes.LastIndexByte(body, ')')+1:])
		if string(fields[2]) != strconv.Itoa(t.cmd.Process.Pid) { // pgrp
			continue
		}
		for _, f := range fields[11:15] { // utime, stime, cutime, cstime
			n, err := strconv.ParseInt(string(f), 10, 64)
			if err != nil {
				return 0, err
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * (time.Second / 100), nil // USER_HZ
}

// forgetPeak has peak count from now on.
func (t *target) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", t.cmd.Process.Pid), []byte("5"), 0)
}

// peak returns the most memory in bytes that the server had, files that it has
// mapped included.
func (t *target) peak() (int64, error) {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(body)) {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("%s: no VmHWM", t.name)
}
