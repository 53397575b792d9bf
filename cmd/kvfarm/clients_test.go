package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
	"github.com/kvfarm/kvfarm/kbuild/toolchain"
)

// sdkTools builds the clients that are pinned in deploy/clients.
func sdkTools(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+"/", "tool")
	build.Dir = filepath.Join("..", "..", "deploy", "clients")
	for _, file := range []string{"go.mod", "go.sum"} { // so that the test cache knows that they are read
		if _, err := os.Stat(filepath.Join(build.Dir, file)); err != nil {
			t.Fatal(err)
		}
	}
	out, err := build.CombinedOutput()
	if err != nil {
		t.Logf("%s", out)
	}
	need(t, "the SDK's tools cannot be built", err)
	return dir
}

// foreignFarm is a farm whose worker has a root with the actor in it for
// actions that bring none.
func foreignFarm(t *testing.T) (*client, *process) {
	t.Helper()
	sandboxtest.Open(t, sandbox.Config{})
	server := spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir())
	c := connect(t, server.addr)
	c.root(nil) // the actor
	program, err := sandboxtest.Build()
	if err != nil {
		t.Fatal(err)
	}
	m, err := tree.Build(tree.Files{"bin/actor": {Digest: digest.Of(program), Exec: true}})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range m.Dirs {
		c.put(dir)
	}
	spawn(t, "worker", "--farm", "grpc://"+server.addr, "--slots", "1", "--state", t.TempDir(), "--root", m.Root.String())
	return c, server
}

// foreign runs another client and returns what it says on both.
func foreign(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", filepath.Base(name), args, err, out)
	}
	return string(out)
}

// TestSDKClients has remotetool move blobs and trees to the server and back,
// and rexec run a command twice.
func TestSDKClients(t *testing.T) {
	tools := sdkTools(t)
	c, server := foreignFarm(t)
	service := []string{"-service=" + c.conn.Target(), "-service_no_security"}
	remotetool := func(args ...string) string {
		return foreign(t, filepath.Join(tools, "remotetool"), append(service, args...)...)
	}
	in, out := t.TempDir(), t.TempDir()
	files := map[string]string{"a": "first ", "deep/er/b": "second", "large": strings.Repeat("large", 2<<20)}
	for name, body := range files {
		path := filepath.Join(in, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		secret(t, path, body)
	}
	stats := filepath.Join(t.TempDir(), "stats")
	remotetool("-operation=upload_dir", "-path="+in, "-json="+stats)
	var uploaded struct{ RootDigest digest.Digest }
	body, err := os.ReadFile(stats)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &uploaded); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	remotetool("-operation=download_dir", "-digest="+uploaded.RootDigest.String(), "-path="+out)
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(out, name)); err != nil || string(got) != want {
			t.Errorf("%s comes back as %d bytes, %v", name, len(got), err)
		}
	}

	rexec := func() string {
		return foreign(t, filepath.Join(tools, "rexec"), append(service, "-exec_root="+in, "-inputs=a,deep", "-output_files=out",
			"-environment_variables=PATH=/bin", "-alsologtostderr", "-v=2", "--", "actor", "sequence", "cat", "a", "deep/er/b", ",", "write", "out", "made")...)
	}
	for range 2 {
		if says := rexec(); !strings.Contains(says, "first second") {
			t.Errorf("rexec says %s", says)
		}
		if got, err := os.ReadFile(filepath.Join(in, "out")); err != nil || !bytes.Equal(got, []byte("made")) {
			t.Errorf("output is %q, %v", got, err)
		}
		if err := os.Remove(filepath.Join(in, "out")); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(server.log.String(), "msg=execute "); n != 1 {
		t.Errorf("the command was run %d times, want once", n)
	}
}

// TestClients has other clients, from the distribution, work on a farm whose
// worker has the kernel's toolchain as its root. Each file in testdata/clients
// is a folder with a script for one of them, and what it is to say, in order.
func TestClients(t *testing.T) {
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
	_, err = findToolchain()
	need(t, "no toolchain", err)
	sandboxtest.Open(t, sandbox.Config{})
	server := spawnWith(t, nil, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir(), "--workers", "1", "--root", "kernel")
	scripts, err := filepath.Glob("testdata/clients/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			dir, want := unpack(t, script)
			says := string(inRoot(t, root.Dir, dir, "FARM="+server.addr, "sh", "-eu", "run.sh"))
			rest := says
			for _, line := range want {
				_, after, ok := strings.Cut(rest, line)
				if !ok {
					t.Fatalf("it does not say %q in its place:\n%s", line, says)
				}
				rest = after
			}
		})
	}
}

// unpack makes a folder of an archive and returns it with the lines of its
// file "want".
func unpack(t *testing.T, archive string) (dir string, want []string) {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for _, f := range a.Files {
		if f.Name == "want" {
			want = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if len(want) == 0 {
		t.Fatalf("%s wants nothing", archive)
	}
	return dir, want
}

// inRoot runs a command in a root, with dir as /mnt and as its folder. Mounts
// are in a namespace of their own.
func inRoot(t *testing.T, root, dir, env string, command ...string) []byte {
	t.Helper()
	const script = `
		root=$1 dir=$2 env=$3
		shift 3
		mount --rbind "$dir" "$root/mnt"
		mount --rbind /proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs none "$root/tmp"
		exec chroot "$root" /usr/bin/env -i HOME=/mnt PATH=/usr/bin:/bin "$env" sh -c 'cd /mnt; exec "$@"' sh "$@"`
	args := []string{"--mount", "--fork", "--kill-child", "sh", "-euc", script, "sh", root, dir, env}
	if os.Getuid() != 0 {
		args = append([]string{"--user", "--map-root-user"}, args...)
	}
	out, err := exec.Command("unshare", append(args, command...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", command, err, out)
	}
	return out
}
