package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/frontend/farm"
	"github.com/kvfarm/kvfarm/kbuild"
)

// tellAfter is how long a farm may take for its first action before somebody is
// told what is waited for.
const tellAfter = 5 * time.Second

// probe finds out whether a farm makes an action's root its "/". One that does
// not would compile with the programs of its own machines and call that a
// result of our action: proofs would be about other code. The action runs a
// program that is in its root and on no machine; its result is cached like any.
func (w *work) probe(ctx context.Context, c *farm.Client) error {
	program, err := w.tool("kvengine") // static, and the farm needs it anyway
	if err != nil {
		return err
	}
	root, err := tree.Build(tree.Files{"kvfarm-probe": program.Entry})
	if err != nil {
		return err
	}
	blobs := kbuild.Blobs{}
	for _, b := range root.Dirs {
		blobs.Add(b)
	}
	if err := c.Upload(ctx, []digest.Digest{program.Entry.Digest}, program.Content); err != nil {
		return err
	}
	if err := c.Upload(ctx, []digest.Digest{root.Root}, blobs); err != nil {
		return err
	}
	slow := time.AfterFunc(tellAfter, func() { w.note("waiting for the farm to run a first action") })
	defer slow.Stop()
	r, err := c.Run(ctx, &kbuild.Action{Kind: "probe", Name: "root", Root: root.Root, Argv: []string{"/kvfarm-probe", "knows"}})
	if err == nil && r.ExitCode != 0 {
		err = fmt.Errorf("exit status %d: %s", r.ExitCode, r.Stderr)
	}
	if err != nil {
		return fmt.Errorf("farm %s does not run an action in the root that it brings along (platform property kvfarm-root); deploy/buildbarn/README.md says what a farm needs: %w", w.remote.cfg.Executor, err)
	}
	return nil
}
