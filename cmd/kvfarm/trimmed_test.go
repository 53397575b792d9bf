package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// What kvlower leaves out of the inputs of a kernel's slices changes no verdict: each site comes to the same with
// what it would leave in. A proof that is there with less only is the worst there is; one that is lost is told, too.
// For longer: KVFARM_TRIMMED is a target, KVFARM_TRIMMED_SLICES how many slices, at random but the same ones each time,
// KVFARM_TRIMMED_BUDGET how many steps each may take, KVFARM_STATE the state folder if it is not the user's.
func TestKernelTrimmed(t *testing.T) {
	r := newRig(t, newest)
	r.state = os.Getenv("KVFARM_STATE")
	target := cmp.Or(os.Getenv("KVFARM_TRIMMED"), "drivers/gpu/drm/drm_panic_qr.rs")
	most, budget := number(t, "KVFARM_TRIMMED_SLICES", 10), number(t, "KVFARM_TRIMMED_BUDGET", 5_000)
	r.flags = []string{"--budget", "100"}
	rep, _ := r.submit(target)
	dir, err := os.MkdirTemp(filepath.Dir(r.bin), "trimmed-") // the root sees this checkout
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var all []trimmed
	for i, l := range r.lowerings(rep, dir) {
		all = append(all, r.lowerTwice(l, filepath.Join(dir, fmt.Sprint(i)))...)
	}
	differ := len(all)
	slices.SortFunc(all, func(a, b trimmed) int { return digest.Compare(a.key, b.key) })
	all = all[:min(most, len(all))]
	sites, lost, open := r.compare(all, budget)
	t.Logf("%s: %d slices below %d bytes are trimmed; %d compared with %d sites at %d steps: %d sites are decided untrimmed only, for %d one budget did not suffice", target, differ, tooLarge, len(all), sites, budget, lost, open)
	if len(all) == 0 {
		t.Error("no slice is trimmed")
	}
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// trimmed is a slice that kvlower trims.
type trimmed struct {
	name       string
	flags      []string // of kvengine
	with, less string   // files: before and after
	key        digest.Digest
}

// lowering is an action that lowered a crate, with the bitcode that it read in files.
type lowering struct {
	crate string
	argv  []string // without the program and the folder to write
}

// lowerings takes the inputs of the report's lowerings out of the store.
func (r *rig) lowerings(rep *pb.Report, dir string) []lowering {
	t := r.t
	t.Helper()
	s := state{dir: r.state}
	if err := s.resolve(); err != nil {
		t.Fatal(err)
	}
	store, err := openStore(t.Context(), s.dir, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var out []lowering
	for _, a := range rep.Actions {
		if a.Kind == "lower" {
			out = append(out, lowering{a.Name, takeInputs(t, store, a.Digest, filepath.Join(dir, "in", fmt.Sprint(len(out))))})
		}
	}
	return out
}

// takeInputs writes what an action of kvlower reads to dir and returns its arguments, with the names of those files.
func takeInputs(t *testing.T, store *badgerstore.Store, action, dir string) (argv []string) {
	t.Helper()
	var a repb.Action
	var c repb.Command
	d, err := digest.Parse(action)
	if err != nil {
		t.Fatal(err)
	}
	take(t, store, d, &a)
	at, err := d.Function.FromProto(a.CommandDigest)
	if err != nil {
		t.Fatal(err)
	}
	take(t, store, at, &c)
	root, err := d.Function.FromProto(a.InputRootDigest)
	if err != nil {
		t.Fatal(err)
	}
	files, err := tree.Load(t.Context(), store, root, tree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, arg := range c.Arguments[1:] {
		e, ok := files[filepath.Join(c.WorkingDirectory, arg)]
		if !ok || e.Kind != tree.File {
			argv = append(argv, arg)
			continue
		}
		b, err := cas.ReadBlob(t.Context(), store, e.Digest, e.Digest.Size)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, arg)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o644); err != nil {
			t.Fatal(err)
		}
		argv = append(argv, to)
	}
	return argv
}

func take(t *testing.T, store cas.Store, d digest.Digest, m proto.Message) {
	t.Helper()
	b, err := cas.ReadBlob(context.Background(), store, d, d.Size)
	if err == nil {
		err = proto.Unmarshal(b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// lowerTwice lowers a crate with and without trimming and lists the slices that differ.
func (r *rig) lowerTwice(l lowering, dir string) []trimmed {
	t := r.t
	t.Helper()
	tools, err := findToolchain()
	if err != nil {
		t.Fatal(err)
	}
	with, less := filepath.Join(dir, "with"), filepath.Join(dir, "less")
	for _, run := range [][]string{{with, "--untrimmed"}, {less}} {
		argv := []string{tools.Dir, filepath.Join(filepath.Dir(r.bin), "kvlower")}
		argv = append(argv, run[1:]...)
		for i, arg := range l.argv {
			if i > 0 && l.argv[i-1] == "--out" {
				arg = run[0]
			}
			argv = append(argv, arg)
		}
		if text, err := exec.Command("../../deploy/in-root.sh", argv...).CombinedOutput(); err != nil {
			t.Fatalf("lower %s: %v\n%s", l.crate, err, text)
		}
	}
	index, err := position.DecodeIndex(contents(t, filepath.Join(with, "index.json")))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contents(t, filepath.Join(with, "index.json")), contents(t, filepath.Join(less, "index.json"))) {
		t.Errorf("%s: trimming shows in the index", l.crate)
	}
	return trimmedOf(t, index, with, less)
}

// tooLarge is the size in bytes of slices that are not compared: most of the time would be theirs, and no budget suffice.
const tooLarge = 150_000

// trimmedOf lists the slices of an index that differ.
func trimmedOf(t *testing.T, index *position.Index, with, less string) []trimmed {
	var out []trimmed
	add := func(name, slice string, flags ...string) {
		x := trimmed{name: name + " " + strings.Join(flags, " "), flags: flags, with: filepath.Join(with, slice), less: filepath.Join(less, slice)}
		b := contents(t, x.less)
		if x.key = digest.Of(b); len(b) < tooLarge && !bytes.Equal(b, contents(t, x.with)) {
			out = append(out, x)
		}
	}
	for _, root := range index.Roots {
		switch root.Kind {
		case position.Auto:
			add(root.Name, root.Slice)
		case position.Inner:
			add(root.Name, root.Slice, "--held")
		}
		if root.Alone != "" {
			add(root.Name, root.Alone, "--alone")
		}
		for _, c := range root.Calls {
			of := []string{strconv.Itoa(c.Func)}
			for _, through := range c.Through {
				of = append(of, strconv.Itoa(through))
			}
			add(root.Name, c.Slice, "--alone", "--of", strings.Join(of, ","))
		}
	}
	return out
}

func contents(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// compare proves each slice with and without what is left out.
func (r *rig) compare(all []trimmed, budget int) (sites, lost, open int) {
	var mu sync.Mutex
	var crew sync.WaitGroup
	work := make(chan trimmed)
	for range runtime.GOMAXPROCS(0) {
		crew.Go(func() {
			for x := range work {
				with, less := r.proved(x, x.with, budget), r.proved(x, x.less, budget)
				mu.Lock()
				sites += len(with)
				l, o := r.differ(x, with, less)
				lost, open = lost+l, open+o
				mu.Unlock()
			}
		})
	}
	for _, x := range all {
		work <- x
	}
	close(work)
	crew.Wait()
	return sites, lost, open
}

// differ tells of sites with other verdicts, an error but where one is lost, of which it returns how many. Open are those of
// which one budget did not suffice.
func (r *rig) differ(x trimmed, with, less []verdict.Site) (lost, open int) {
	if len(with) != len(less) {
		r.t.Errorf("%s: %d sites, and %d trimmed", x.name, len(with), len(less))
		return 0, 0
	}
	for i, a := range with {
		b := less[i]
		switch {
		case a.Verdict == b.Verdict:
		case a.Reason == verdict.Budget || b.Reason == verdict.Budget: // less to do, or in another order
			open++
		case b.Verdict == verdict.Unknown:
			lost++
			r.t.Logf("%s: %s at %d.%d: %v, and trimmed %v (%s)", x.name, a.Kind, a.Func, a.Inst, a.Verdict, b.Verdict, b.Reason)
		default:
			r.t.Errorf("%s: %s at %d.%d: %v (%s), and trimmed %v", x.name, a.Kind, a.Func, a.Inst, a.Verdict, a.Reason, b.Verdict)
		}
	}
	return lost, open
}

// proved is what becomes of the sites of a slice; nil if its proof does not end, which is told.
func (r *rig) proved(x trimmed, slice string, budget int) []verdict.Site {
	out := slice + ".json"
	argv := slices.Concat([]string{"prove"}, x.flags, []string{"--budget", strconv.Itoa(budget), "--out", out, slice})
	if text, err := exec.Command(filepath.Join(filepath.Dir(r.bin), "kvengine"), argv...).CombinedOutput(); err != nil {
		r.t.Errorf("%s: %v: %s", x.name, err, text)
		return nil
	}
	b, err := os.ReadFile(out)
	if err != nil {
		r.t.Error(err)
		return nil
	}
	var v verdict.Verdict
	if err := json.Unmarshal(b, &v); err != nil {
		r.t.Errorf("%s: %v", out, err)
	}
	return v.Sites
}
