package worker

import (
	"context"
	"fmt"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/sandbox"
)

// Roots are what becomes "/" for actions that bring no root along, as those of
// other clients than ours.
type Roots struct {
	Default digest.Digest            // of actions that choose none; zero: an empty one
	Named   map[string]digest.Digest // by the value of PropertyImage
}

// offers are the named roots as platform properties.
func (r *Roots) offers() (ps []queue.Property) {
	for name := range r.Named {
		ps = append(ps, queue.Property{Name: PropertyImage, Value: name})
	}
	return ps
}

// pin makes the roots and keeps them: an action does not name their blobs, so
// nobody would send those again if the store lost them.
func (w *Worker) pin(ctx context.Context) (release func(), err error) {
	var pinned []func()
	release = func() {
		for _, r := range pinned {
			r()
		}
	}
	all := map[string]digest.Digest{"default": w.cfg.Roots.Default}
	for name, d := range w.cfg.Roots.Named {
		all[fmt.Sprintf("%q", name)] = d
	}
	for name, d := range all {
		p, err := w.cfg.Inputs.Root(ctx, d, sandbox.MountPoints)
		if err != nil {
			release()
			return nil, fmt.Errorf("make %s root: %w", name, err)
		}
		pinned = append(pinned, p.Release)
	}
	return release, nil
}

// root is that of an action which brings own along, if any.
func (j *job) root(own digest.Digest) (digest.Digest, error) {
	name := j.property(PropertyImage)
	switch {
	case !own.IsZero():
		return own, nil
	case name == "":
		return j.cfg.Roots.Default, nil
	}
	d, ok := j.cfg.Roots.Named[name]
	if !ok {
		return d, invalid("platform property %s=%q is no root of this worker", PropertyImage, name)
	}
	return d, nil
}
