package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/worker"
)

// rootFlags say what is "/" for actions that bring no root along.
type rootFlags struct {
	root   string
	images []string
}

func (r *rootFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&r.root, "root", "", "`ROOT` that actions run in which name none, as those of Bazel: the name of a toolchain root that actions can run in, or HASH/SIZE of a Directory in the farm's store (default: an empty one)")
	f.StringArrayVar(&r.images, "image", nil, "`NAME=ROOT`: the root of actions with the platform property container-image=NAME; repeatable")
}

// known are the platform properties that choose among the roots.
func (r *rootFlags) known() []string {
	if len(r.images) == 0 {
		return nil
	}
	return []string{worker.PropertyImage}
}

// resolve finds the roots, and stores those that are made here.
func (r *rootFlags) resolve(ctx context.Context, s cas.Store, note func(string)) (roots worker.Roots, err error) {
	if r.root != "" {
		if roots.Default, err = findRoot(ctx, r.root, s, note); err != nil {
			return roots, fmt.Errorf("--root %s: %w", r.root, err)
		}
	}
	images, err := pairs("--image", r.images)
	if err != nil {
		return roots, err
	}
	roots.Named = map[string]digest.Digest{}
	for name, root := range images {
		if roots.Named[name], err = findRoot(ctx, root, s, note); err != nil {
			return roots, fmt.Errorf("--image %s=%s: %w", name, root, err)
		}
	}
	return roots, nil
}

func findRoot(ctx context.Context, root string, s cas.Store, note func(string)) (digest.Digest, error) {
	if d, err := digest.Parse(root); err == nil {
		return d, nil
	}
	cache, err := toolchains()
	if err != nil {
		return digest.Digest{}, err
	}
	made, err := cache.List()
	if err != nil {
		return digest.Digest{}, err
	}
	for _, t := range made {
		if t.Name == root && !t.Root.IsZero() {
			return t.Root, importToolchain(ctx, t, s, note)
		}
	}
	return digest.Digest{}, fmt.Errorf("no such root is made that actions can run in (kvfarm toolchain list), and it is no HASH/SIZE")
}
