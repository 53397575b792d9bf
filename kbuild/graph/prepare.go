package graph

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/plan"
)

//go:embed kvfarm
var scripts embed.FS

// targetFile describes the target to rustc; an architecture that needs none has
// an empty one.
const targetFile = "scripts/target.json"

// maxText bounds in bytes what is read back whole: a plan has 2 MiB.
const maxText = 64 << 20

// configure runs the config action and returns the resulting .config.
func (g *Graph) configure(ctx context.Context) (tree.Entry, error) {
	a := &kbuild.Action{Kind: "config", Name: g.cfg.Arch.Name, Argv: []string{"sh", "kvfarm/config.sh"}, Env: g.makeEnv(),
		Inputs: g.pick(g.tree.Config), Outputs: []string{objtree + "/.config"}}
	g.addScripts(a.Inputs, "kvfarm/config.sh", "kvfarm/config.mk")
	a.Inputs["kvfarm/fragment"] = g.content.add(append([]byte(nil), g.cfg.Fragment...))
	r, err := g.run(ctx, a)
	if err != nil {
		return tree.Entry{}, err
	}
	config := r.Outputs[objtree+"/.config"]
	text, err := cas.ReadBlob(ctx, g.cfg.Store, config.Digest, maxText)
	if err != nil {
		return config, fmt.Errorf("read configuration: %w", err)
	}
	return config, g.checkRust(string(text), string(r.Stderr))
}

// plan runs the plan action and takes its outputs apart.
func (g *Graph) plan(ctx context.Context, config tree.Entry) error {
	headers := []string{objtree + "/include/generated", objtree + "/arch/" + g.tree.Arch + "/include/generated"}
	single := []string{objtree + "/" + targetFile, objtree + "/" + planFile}
	argv := []string{"sh", "kvfarm/plan.sh"}
	for _, target := range g.cfg.Arch.Skip {
		argv = append(argv, "-o", target)
	}
	a := &kbuild.Action{Kind: "plan", Name: g.cfg.Arch.Name, Argv: argv, Env: g.makeEnv(),
		Inputs: g.pick(g.tree.Config), Outputs: append(single, headers...)}
	for p, e := range g.pick(g.tree.Build) {
		a.Inputs[p] = e
	}
	empty := g.content.add(nil)
	for _, p := range g.tree.Rust {
		a.Inputs[p] = empty
	}
	if err := fs.WalkDir(scripts, "kvfarm", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			g.addScripts(a.Inputs, p)
		}
		return err
	}); err != nil {
		return err
	}
	a.Inputs[objtree+"/.config"] = config
	r, err := g.run(ctx, a)
	if err != nil {
		return err
	}
	if err := g.loadGenerated(ctx, r.Outputs, headers); err != nil {
		return err
	}
	return g.loadPlan(ctx, r.Outputs[objtree+"/"+planFile].Digest)
}

// makeEnv is the environment of the kernel's make.
func (g *Graph) makeEnv() map[string]string {
	return map[string]string{"ARCH": g.cfg.Arch.Name, "LLVM": "1", "LC_ALL": "C", "HOME": "/tmp",
		"KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970", "KBUILD_BUILD_USER": "kvfarm", "KBUILD_BUILD_HOST": "kvfarm"}
}

// pick returns the entries of the given files of the kernel tree.
func (g *Graph) pick(paths []string) tree.Files {
	files := make(tree.Files, len(paths))
	for _, p := range paths {
		files[p] = g.files[p]
	}
	return files
}

// addScripts adds our own files, which are part of this program.
func (g *Graph) addScripts(files tree.Files, paths ...string) {
	for _, p := range paths {
		b, err := scripts.ReadFile(p)
		if err != nil {
			panic(err) // embedded
		}
		e := g.content.add(b)
		e.Exec = strings.HasPrefix(p, tools)
		files[p] = e
	}
}

// loadGenerated fills g.generated with the plan's headers and target.
func (g *Graph) loadGenerated(ctx context.Context, outputs tree.Files, dirs []string) error {
	g.generated = tree.Files{targetFile: outputs[objtree+"/"+targetFile]}
	for _, dir := range dirs {
		files, err := tree.Load(ctx, g.cfg.Store, outputs[dir].Digest, tree.Limits{})
		if err != nil {
			return fmt.Errorf("read generated headers: %w", err)
		}
		for p, e := range files {
			g.generated[path.Join(strings.TrimPrefix(dir, objtree+"/"), p)] = e
		}
	}
	return nil
}

// loadPlan reads the log and takes the crates and steps out of it.
func (g *Graph) loadPlan(ctx context.Context, d digest.Digest) error {
	log, err := cas.ReadBlob(ctx, g.cfg.Store, d, maxText)
	if err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	commands, err := plan.Parse(log)
	if err != nil {
		return err
	}
	if g.crates, err = plan.Crates(commands, mount+"/"+tools+"rustc"); err != nil {
		return err
	}
	g.steps = plan.Steps(commands, mount+"/"+tools)
	for _, c := range g.crates {
		switch {
		case strings.HasPrefix(c.Source, "kvfarm/check/"):
			g.check = c
		case c.Role != plan.Driver:
			g.byName[c.Name] = c
		}
	}
	if g.byName["kernel"] == nil || g.check == nil {
		return fmt.Errorf("plan has no kernel crate among %d crates", len(g.crates))
	}
	if err := g.checkCircles(); err != nil {
		return err
	}
	return g.loadOptions(ctx)
}
