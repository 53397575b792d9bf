package job

import (
	"context"
	"fmt"
	"path"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/kbuild"
)

// cut is one slice and the positions beside it.
type cut struct {
	way     way
	of      []int // with alone: the function of the slice whose panics are decided, in the root's calls of it, and those it calls it through; none is the root itself
	root    position.Root
	up      bool // root was promoted to an automatic one
	outer   bool // root is an automatic one; its kind is that of its other proofs
	bounded bool // root's checks are decided, up to a bound: it is an inner one that may do without
	text
	alone text          // of the root alone, if it owns panic locations
	calls []text        // of it alone with those of root.Calls, in their order
	by    digest.Digest // action that cut it
}

// text is a slice and the map beside it.
type text struct{ slice, at tree.Entry }

// cutCrate is what was cut out of a crate, and the panic calls in its code.
type cutCrate struct {
	cuts   []cut
	panics []position.Panic
}

const slicesDir = "slices"

// lower links a unit's bitcode and cuts a slice per root out of it.
func (j *Job) lower(ctx context.Context, u unit, bc *Bitcode) (cutCrate, error) {
	a := &kbuild.Action{
		Kind: "lower", Name: u.name,
		Argv:    []string{"./kvlower", "--out", slicesDir, "--crate", u.name},
		Env:     map[string]string{"PATH": "/usr/bin:/bin"},
		Inputs:  tree.Files{"kvlower": j.Lower.Entry},
		Outputs: []string{slicesDir},
		Root:    bc.Root,
		Content: kbuild.Either(j.Lower.Content, bc.Content),
	}
	for i, e := range bc.Types {
		name := fmt.Sprintf("types/%02d.bc", i)
		a.Inputs[name] = e
		a.Argv = append(a.Argv, "--types", name)
	}
	if u.check != nil { // what else it defines are models of C
		a.Argv = append(a.Argv, "--checks")
	}
	for i, e := range bc.Link {
		name := fmt.Sprintf("link/%02d.bc", i)
		if u.check != nil && u.check.File != "" && i == len(bc.Link)-1 { // it may be the user's own: what is wrong with it has its name
			name = path.Base(u.source)
		}
		a.Inputs[name] = e
		a.Argv = append(a.Argv, name)
	}
	r, err := j.runner.Run(ctx, a)
	if err != nil {
		return cutCrate{}, err
	}
	if r.ExitCode != 0 {
		return cutCrate{}, fmt.Errorf("lower: exit %d: %s", r.ExitCode, lastLines(r.Stderr))
	}
	return j.cuts(ctx, r)
}

// cuts reads the index of the slices that an action left.
func (j *Job) cuts(ctx context.Context, r *kbuild.Result) (cutCrate, error) {
	index, files, err := j.index(ctx, r)
	if err != nil {
		return cutCrate{}, fmt.Errorf("lower: %w", err)
	}
	cuts := make([]cut, 0, len(index.Roots))
	for _, root := range index.Roots {
		c, err := files.cut(root)
		if err != nil {
			return cutCrate{}, fmt.Errorf("lower: index of %v: %w", r.Action, err)
		}
		c.by = r.Action
		cuts = append(cuts, c)
	}
	return cutCrate{cuts, index.Panics}, nil
}

// lowered are the files that kvlower left.
type lowered tree.Files

// cut finds the slices of a root.
func (l lowered) cut(r position.Root) (c cut, err error) {
	c.root = r
	if c.text, err = l.text(r.Slice, r.Map); err != nil {
		return c, err
	}
	if len(r.Owns) > 0 {
		if c.alone, err = l.text(r.Alone, r.AloneMap); err != nil {
			return c, err
		}
	}
	for _, callee := range r.Calls {
		t, err := l.text(callee.Slice, callee.Map)
		if err != nil {
			return c, err
		}
		c.calls = append(c.calls, t)
	}
	return c, nil
}

func (l lowered) text(slice, positions string) (text, error) {
	t := text{l[path.Clean(slice)], l[path.Clean(positions)]}
	if t.slice.Digest.IsZero() || t.at.Digest.IsZero() {
		return t, fmt.Errorf("it names %q and %q, which are not there", slice, positions)
	}
	return t, nil
}

// index reads the index that kvlower left, and lists the files beside it.
func (j *Job) index(ctx context.Context, r *kbuild.Result) (*position.Index, lowered, error) {
	out, ok := r.Outputs[slicesDir]
	if !ok || out.Kind != tree.Dir {
		return nil, nil, fmt.Errorf("action %v left no folder %s", r.Action, slicesDir)
	}
	files, err := tree.Load(ctx, j.blobs, out.Digest, tree.Limits{})
	if err != nil {
		return nil, nil, err
	}
	b, err := j.file(ctx, files, "index.json")
	if err != nil {
		return nil, nil, err
	}
	index, err := position.DecodeIndex(b)
	return index, lowered(files), err
}

// Limits on what is read into memory from a farm.
const (
	maxIndex   = 64 << 20
	maxVerdict = 64 << 20
)

func (j *Job) file(ctx context.Context, files tree.Files, name string) ([]byte, error) {
	e, ok := files[name]
	if !ok {
		return nil, fmt.Errorf("output %s is missing", name)
	}
	return j.blob(ctx, e.Digest, maxIndex)
}

func (j *Job) blob(ctx context.Context, d digest.Digest, limit int64) ([]byte, error) {
	return cas.ReadBlob(ctx, j.blobs, d, limit)
}

// lastLines is the end of a tool's output: what it says last is why it failed.
func lastLines(b []byte) string {
	const most = 4000
	if len(b) > most {
		b = b[len(b)-most:]
	}
	return string(b)
}
