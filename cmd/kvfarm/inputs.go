package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/rust"
	"github.com/kvfarm/kvfarm/kbuild/source"
	"github.com/kvfarm/kvfarm/kbuild/toolchain"
)

// inputs is all of a submit that comes from this machine but the tree itself.
type inputs struct {
	version   string // of the kernel
	toolchain *toolchain.Toolchain
	fragment  []byte
	waivers   []report.Waiver
	sources   map[string][]byte // of checks, as positions name them
	spec      job.Spec
}

func (s *submitFlags) inputs() (*inputs, error) {
	in := &inputs{fragment: s.arch.AllRust, sources: map[string][]byte{}}
	var err error
	if in.version, err = source.Version(s.tree); err != nil {
		return nil, fmt.Errorf("%w: be in a kernel tree, or name one with --tree", err)
	}
	if in.toolchain, err = findToolchain(); err != nil {
		return nil, err
	}
	if s.config != "" {
		if in.fragment, err = os.ReadFile(s.config); err != nil {
			return nil, fmt.Errorf("read --config: %w", err)
		}
	}
	if in.waivers, err = s.readWaivers(); err != nil {
		return nil, err
	}
	in.spec, err = s.spec()
	for _, c := range in.spec.Checks {
		in.sources[c.Name] = c.Files["lib.rs"]
	}
	return in, err
}

func (s *submitFlags) spec() (job.Spec, error) {
	spec := job.Spec{Targets: s.targets, Budget: s.budget, Shards: s.shards, Fuzz: s.fuzz}
	var err error
	if spec.Checks, err = checks(s.checks); err != nil {
		return spec, err
	}
	if spec.Lower, err = s.tool("kvlower"); err != nil {
		return spec, err
	}
	spec.Engine, err = s.tool("kvengine")
	return spec, err
}

// checks are the shipped ones and those of files.
func checks(files []string) ([]job.Check, error) {
	crates, err := rust.Checks()
	if err != nil {
		return nil, err
	}
	shipped := len(crates)
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read --checks: %w", err)
		}
		crates = append(crates, rust.NewCrate(strings.TrimSuffix(filepath.Base(file), ".rs"), src))
	}
	var out []job.Check
	for i, crate := range crates {
		c, err := job.NewCheck(crate.Name, crate.Files)
		if err != nil {
			return nil, err
		}
		c.Shipped = i < shipped
		out = append(out, c)
	}
	return out, nil
}

func (s *submitFlags) readWaivers() ([]report.Waiver, error) {
	name := s.waivers
	if name == "" {
		name = filepath.Join(s.tree, "kvfarm.waivers")
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) && s.waivers == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w", err)
	}
	defer f.Close()
	return report.ReadWaivers(name, f)
}

// tool is a program beside kvfarm that actions bring along.
func (w *work) tool(name string) (job.Tool, error) {
	dir := w.tools
	if dir == "" {
		self, err := os.Executable()
		if err != nil {
			return job.Tool{}, fmt.Errorf("find %s: %w", name, err)
		}
		dir = filepath.Dir(self)
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return job.Tool{}, fmt.Errorf("find %s: %w; `make build` makes it, --tools names its folder", name, err)
	}
	// Held in memory, a few MiB: who builds anew during a submit must not change
	// what the submit began with.
	blobs := kbuild.Blobs{}
	entry := blobs.Add(b)
	entry.Exec = true
	return job.Tool{Name: name, Entry: entry, Content: blobs}, nil
}
