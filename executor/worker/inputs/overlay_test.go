package inputs_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
	"github.com/kvfarm/kvfarm/executor/worker/inputs"
)

func inode(info os.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

// TestDifferences changes a tree at random and has a sandbox show each one,
// whatever layers the cache makes of it.
func TestDifferences(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	host := sandboxtest.Open(t, sandbox.Config{})
	root := sandboxtest.Root(t)
	s := newStore()
	uid, gid, give := host.Owner()
	c := open(t, inputs.Config{Dir: t.TempDir(), UID: uid, GID: gid, Give: give, Whole: !host.Stacks()}, s)
	content := map[string]string{}
	for i := range 300 {
		content[name(random)+fmt.Sprint("/file", i)] = fmt.Sprint("content ", i)
	}
	layered := 0
	for range 30 {
		s.by = digest.Functions()[random.IntN(2)]
		p := pin(t, c, upload(t, s, content))
		layered += len(p.Layers) - 1
		r, err := host.Run(t.Context(), sandbox.Spec{Root: root, Dir: c.Dir(), Layers: p.Layers,
			Argv: []string{sandboxtest.Actor, "tree", "/x"}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(listing(content), string(r.Stdout.Bytes())); diff != "" {
			t.Fatalf("layers %v (-want +got)\n%s%s", p.Layers, diff, r.Stderr.Bytes())
		}
		r.Close()
		if random.IntN(2) == 0 {
			p.Release()
		}
		change(random, content)
	}
	if layered < 5 && host.Stacks() {
		t.Errorf("only %d trees were made as differences", layered)
	}
}

// TestSteps changes a tree step by step, each time further away from the first.
// What is laid out for a step is little more than the step, and layers stay few.
func TestSteps(t *testing.T) {
	s := newStore()
	c := open(t, inputs.Config{Dir: t.TempDir()}, s)
	content := map[string]string{}
	for i := range 3000 {
		content[fmt.Sprintf("%d/%d", i%30, i)] = "first"
	}
	pin(t, c, upload(t, s, content))
	const steps = 64
	layers, entries := 0, 0
	for i := range steps {
		for k := range 3 {
			content[fmt.Sprintf("%d/%d", i%30, i%30+30*(3*i/30+k))] = fmt.Sprint("step ", i)
		}
		p := pin(t, c, upload(t, s, content))
		layers = max(layers, len(p.Layers))
		entries += len(read(t, c, p.Layers[0]))
		p.Release()
	}
	// Four entries a step, of which half are laid out again every second step,
	// half of those every fourth, and so on.
	if want := 4 * steps * (1 + 6/2); entries > want || entries < 4*steps {
		t.Errorf("%d entries were laid out for %d steps, want at most %d", entries, steps, want)
	}
	if layers < 3 || layers > 8 {
		t.Errorf("a tree has %d layers", layers)
	}
}

func name(random *rand.Rand) string {
	parts := []string{"a", "b", "c", "d"}
	var out []string
	for range 1 + random.IntN(3) {
		out = append(out, parts[random.IntN(len(parts))])
	}
	return strings.Join(out, "/")
}

// change makes some changes: to contents and modes, of files to folders and
// links and back, and removals.
func change(random *rand.Rand, content map[string]string) {
	for range 1 + random.IntN(8) {
		names := sorted(content)
		old := names[random.IntN(len(names))]
		switch random.IntN(7) {
		case 0:
			content[old] += "!"
		case 1:
			content[old] = "#!" + content[old]
		case 2:
			delete(content, old)
		case 3:
			content[old] = "->nowhere"
		case 4: // a file where a folder was
			dir, _, _ := strings.Cut(old, "/file")
			maps.DeleteFunc(content, func(n, _ string) bool { return strings.HasPrefix(n, dir+"/") })
			content[dir] = "was a folder"
		case 5: // a folder where a file was
			content[old+"/file"] = content[old]
			delete(content, old)
		case 6:
			delete(content, old)
			content[old+"moved"] = "moved"
		}
		if len(content) < 100 {
			more := fmt.Sprint("more", random.Uint64(), "/")
			for i := range 100 {
				content[fmt.Sprint(more, random.IntN(50), "/file", i)] = "more"
			}
		}
	}
}

// listing is what the actor prints of a tree.
func listing(content map[string]string) string {
	all := maps.Clone(content)
	for n := range content {
		for i, c := range n {
			if c == '/' {
				all[n[:i]+"/"] = ""
			}
		}
	}
	var lines []string
	for _, n := range sorted(all) {
		lines = append(lines, fmt.Sprintf("%s %q\n", strings.TrimSuffix(n, "/"), all[n]))
	}
	return strings.Join(lines, "")
}
