package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/kbuild/toolchain"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// startJustbuild runs justbuild's execution service, from the distribution,
// with a launcher before each command. It returns the service's endpoint. In
// the launcher, DIR stands for the service's folder.
func startJustbuild(t *testing.T, launcher ...string) string {
	t.Helper()
	cache, err := toolchains()
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := toolchain.RecipeFor("clients")
	if err != nil {
		t.Fatal(err)
	}
	root, err := cache.Open(recipe)
	need(t, "`kvfarm toolchain make clients` has not been run", err)
	// Not in that root: there the launcher would find no sandbox.
	loader, err := filepath.Glob(filepath.Join(root.Dir, "lib*/ld-linux*.so.*"))
	if err != nil || len(loader) == 0 {
		t.Fatalf("the clients root has no dynamic loader: %v", err)
	}
	libraries, err := filepath.Glob(filepath.Join(root.Dir, "usr/lib/*-linux-gnu"))
	if err != nil || len(libraries) != 1 {
		t.Fatalf("libraries of the clients root: %q, %v", libraries, err)
	}
	dir := t.TempDir()
	for i := range launcher {
		launcher[i] = strings.ReplaceAll(launcher[i], "DIR", dir)
	}
	list, err := json.Marshal(launcher)
	if err != nil {
		t.Fatal(err)
	}
	info := filepath.Join(dir, "info")
	cmd := exec.Command(loader[0], "--library-path", libraries[0], filepath.Join(root.Dir, "usr/bin/justbuild"), "execute", "--compatible",
		"--local-build-root", filepath.Join(dir, "root"), "--info-file", info, "--local-launcher", string(list))
	said := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // what it said tells why
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		used := cmd.ProcessState
		t.Logf("justbuild and its actions used %v of CPU", used.UserTime()+used.SystemTime())
		if t.Failed() {
			t.Logf("justbuild: %s", said)
		}
	})
	for {
		var about struct{ Port int }
		if b, err := os.ReadFile(info); err == nil && json.Unmarshal(b, &about) == nil {
			return fmt.Sprintf("grpc://127.0.0.1:%d", about.Port)
		}
		select {
		case <-ended:
			t.Fatalf("justbuild ended: %s", said)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// twoChecks is C, which has no core to be compiled: one check holds, the other
// does not and is run natively, too.
const twoChecks = `#include <kvfarm.h>

void check_holds(void)
{
	unsigned low = kvfarm_any_u32(), high = kvfarm_any_u32();
	kvfarm_assume(low <= high);
	kvfarm_assert(low + (high - low) / 2 <= high);
}

void check_fails(void)
{
	unsigned low = kvfarm_any_u32(), high = kvfarm_any_u32();
	kvfarm_assume(low <= high);
	kvfarm_assert((low + high) / 2 >= low);
}
`

// TestKernelJustbuild has checks of a file proved on a farm that puts a program
// of ours before each command, and wants the same as embedded, action by action.
func TestKernelJustbuild(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	bin, err := filepath.Abs("../../bin/kvfarm")
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(bin)
	need(t, "make build has not been run", err)
	_, err = findToolchain()
	need(t, "no toolchain", err)
	file := filepath.Join(t.TempDir(), "middle.c")
	secret(t, file, twoChecks)
	prove := func(flags ...string) (*pb.Report, int) {
		t.Helper()
		dir := t.TempDir()
		cmd := exec.Command(bin, append([]string{"prove", file, "--report", dir}, flags...)...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		_ = cmd.Run() // its status tells
		r, err := report.Read(filepath.Join(dir, "report.json"))
		if err != nil {
			t.Fatalf("prove %q: %v\n%s", flags, err, &out)
		}
		return r, cmd.ProcessState.ExitCode()
	}
	want, wantCode := prove()
	wantVerdict(t, want, "check_holds", pb.Verdict_PROVED)
	wantVerdict(t, want, "check_fails", pb.Verdict_REFUTED)
	farm := []string{"--remote_executor", startJustbuild(t, bin, "launch", "--below", "DIR", "--"), "--remote_link_targets"}
	cold, code := prove(farm...)
	wantSame(t, "cold", want, cold, wantCode, code)
	if n := len(ran(cold)); n != len(cold.Actions) {
		t.Errorf("an empty store: %d of %d actions ran", n, len(cold.Actions))
	}
	cached, code := prove(farm...)
	wantSame(t, "cached", want, cached, wantCode, code)
	if got := ran(cached); len(got) > 0 {
		t.Errorf("known results, and it ran %q", got)
	}
}

// TestKernelNoRoot holds that a farm that would run actions on its own machine's
// root is told from one that does not, before it gets any.
func TestKernelNoRoot(t *testing.T) {
	bin, err := filepath.Abs("../../bin/kvfarm")
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(bin)
	need(t, "make build has not been run", err)
	file := filepath.Join(t.TempDir(), "middle.c")
	secret(t, file, twoChecks)
	out, err := exec.Command(bin, "prove", file, "--report", t.TempDir(), "--remote_executor", startJustbuild(t, "env", "--")).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != report.ExitFailed || !strings.Contains(string(out), "kvfarm-root") {
		t.Errorf("%v, want status %d and the reason:\n%s", err, report.ExitFailed, out)
	}
}

// wantSame wants two reports to agree on all but where results came from.
func wantSame(t *testing.T, when string, want, got *pb.Report, wantCode, code int) {
	t.Helper()
	if code != wantCode || code == report.ExitFailed {
		t.Errorf("%s: status %d, want %d; errors: %q", when, code, wantCode, got.Errors)
	}
	about := func(r *pb.Report) *pb.Report {
		return &pb.Report{Actions: r.Actions, Roots: r.Roots, Sites: r.Sites, Reasons: r.Reasons, Errors: r.Errors}
	}
	if len(want.Actions) == 0 || len(want.Roots) == 0 || len(want.Sites) == 0 {
		t.Errorf("%s: there is nothing to compare: %d actions, %d roots, %d sites", when, len(want.Actions), len(want.Roots), len(want.Sites))
	}
	if diff := cmp.Diff(about(want), about(got), protocmp.Transform(),
		protocmp.IgnoreFields(&pb.Action{}, "cached", "wall_seconds", "cpu_seconds", "worker"),
		protocmp.IgnoreFields(&pb.Root{}, "cached"), protocmp.IgnoreFields(&pb.Site{}, "cached")); diff != "" {
		t.Errorf("%s (-embedded +there)\n%s", when, diff)
	}
}
