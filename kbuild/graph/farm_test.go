package graph_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
)

// farm plays make, bindgen, clang and rustc on the small kernel of testdata. An
// output is a function of what its tool would look at: not of comments, and of
// C only of the lines that say DATA. What it has done it remembers.
type farm struct {
	t     *testing.T
	plan  string
	store cas.Store

	mu      sync.Mutex
	results map[digest.Digest]*kbuild.Result
	ran     []string
}

func newFarm(t *testing.T, plan string) *farm {
	return &farm{t: t, plan: plan, store: memstore.New(), results: map[digest.Digest]*kbuild.Result{}}
}

// takeRan returns the actions that ran since it was last called, sorted.
func (f *farm) takeRan() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	ran := f.ran
	f.ran = nil
	slices.Sort(ran)
	return ran
}

// Run implements kbuild.Runner.
func (f *farm) Run(ctx context.Context, a *kbuild.Action) (*kbuild.Result, error) {
	key, err := keyOf(a)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.results[key]; r != nil {
		return r, nil
	}
	f.ran = append(f.ran, a.Kind+" "+a.Name)
	r := &kbuild.Result{Action: key, Outputs: tree.Files{}}
	if err := f.execute(ctx, a, r); err != nil {
		return nil, err
	}
	f.results[key] = r
	return r, nil
}

func keyOf(a *kbuild.Action) (digest.Digest, error) {
	m, err := tree.Build(a.Inputs)
	if err != nil {
		return digest.Digest{}, err
	}
	var env []string
	for _, name := range slices.Sorted(maps.Keys(a.Env)) {
		env = append(env, name+"="+a.Env[name])
	}
	return digest.Of(fmt.Appendf(nil, "%q %q %q %q %v", a.Argv, env, a.Dir, a.Outputs, m.Root)), nil
}

func (f *farm) execute(ctx context.Context, a *kbuild.Action, r *kbuild.Result) error {
	in := map[string]string{}
	for p, e := range a.Inputs {
		text, err := f.text(ctx, a, e)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		in[p] = text
	}
	switch a.Kind {
	case "config":
		return f.leave(ctx, r, "o/.config", strings.ReplaceAll("CONFIG_RUST=y\n"+in["kvfarm/fragment"], "CONFIG_RUST=y\nCONFIG_RUST=n", ""))
	case "plan":
		return f.leavePlan(ctx, a, r, in)
	case "rustc":
		return f.rustc(ctx, a, r, in)
	}
	return f.leave(ctx, r, a.Outputs[0], a.Name+linesOf(in, func(p, line string) bool { return strings.HasPrefix(line, "DATA") }))
}

func (f *farm) text(ctx context.Context, a *kbuild.Action, e tree.Entry) (string, error) {
	b, err := cas.ReadBlob(ctx, f.store, e.Digest, 1<<20)
	if err == nil {
		return string(b), nil
	}
	r, err := a.Content.Open(e.Digest)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err = io.ReadAll(r)
	return string(b), err
}

func (f *farm) leave(ctx context.Context, r *kbuild.Result, name, text string) error {
	d, err := cas.PutBlob(ctx, f.store, []byte(text))
	r.Outputs[name] = tree.Entry{Digest: d}
	return err
}

func (f *farm) leavePlan(ctx context.Context, a *kbuild.Action, r *kbuild.Result, in map[string]string) error {
	for p, text := range in {
		if path.Ext(p) == ".rs" && text != "" {
			f.t.Errorf("plan sees the text of %s, and would run again when it changes", p)
		}
	}
	cfg := ""
	for line := range strings.Lines(in["o/.config"]) {
		name, _, _ := strings.Cut(line, "=")
		cfg += "--cfg=" + name + "\n--cfg=" + line
	}
	dirs := map[string]map[string]string{
		"o/include/generated":                            {"autoconf.h": in["o/.config"], "rustc_cfg": cfg},
		"o/arch/" + a.Env["ARCH"] + "/include/generated": {"asm/wrapper.h": "DATA wrapper\n"},
	}
	for dir, texts := range dirs {
		files := tree.Files{}
		for p, text := range texts {
			d, err := cas.PutBlob(ctx, f.store, []byte(text))
			if err != nil {
				return err
			}
			files[p] = tree.Entry{Digest: d}
		}
		d, err := tree.Upload(ctx, f.store, files)
		if err != nil {
			return err
		}
		r.Outputs[dir] = tree.Entry{Kind: tree.Dir, Digest: d}
	}
	if err := f.leave(ctx, r, "o/scripts/target.json", "{}"); err != nil {
		return err
	}
	return f.leave(ctx, r, "o/kvfarm.plan", f.plan)
}

func (f *farm) rustc(ctx context.Context, a *kbuild.Action, r *kbuild.Result, in map[string]string) error {
	if _, ok := in["o/scripts/target.json"]; ok != slices.Contains(a.Argv, "--target=scripts/target.json") {
		f.t.Errorf("rustc %s: the target's file is there: %v; arguments %q", a.Name, ok, a.Argv)
	}
	all := linesOf(in, func(p, line string) bool { return !strings.HasPrefix(line, "//") })
	if i := strings.Index(all, "SYNTAX ERROR"); i >= 0 {
		r.ExitCode, r.Stderr = 1, []byte("error: expected item\n --> drivers/b.rs:1:1\n")
		return nil
	}
	if strings.Contains(all, "make_mod!()") && in["drivers/a/made.rs"] == "" {
		r.ExitCode, r.Stderr = 1, []byte("error[E0583]: file not found for module `made`\n")
		return nil
	}
	for _, out := range a.Outputs {
		if err := f.leave(ctx, r, out, out+strings.Join(a.Argv, " ")+all); err != nil {
			return err
		}
	}
	return nil
}

// linesOf returns the lines of the files of in that keep keeps.
func linesOf(in map[string]string, keep func(p, line string) bool) string {
	var b strings.Builder
	for _, p := range slices.Sorted(maps.Keys(in)) {
		b.WriteString(p + "\n")
		for line := range strings.Lines(in[p]) {
			if keep(p, line) {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}
