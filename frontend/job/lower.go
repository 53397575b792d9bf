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
	way   way
	of    []int // with alone: the function of the slice whose panics are decided, in the root's calls of it, and those it calls it through; none is the root itself
	root  position.Root
	up    bool // root was promoted to an automatic one
	slice tree.Entry
	at    tree.Entry
	by    digest.Digest // action that cut it
}

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
		c := cut{root: root, slice: files[path.Clean(root.Slice)], at: files[path.Clean(root.Map)], by: r.Action}
		if c.slice.Digest.IsZero() || c.at.Digest.IsZero() {
			return cutCrate{}, fmt.Errorf("lower: index of %v names %s and %s, which are not there", r.Action, root.Slice, root.Map)
		}
		cuts = append(cuts, c)
	}
	return cutCrate{cuts, index.Panics}, nil
}

// index reads the index that kvlower left, and lists the files beside it.
func (j *Job) index(ctx context.Context, r *kbuild.Result) (*position.Index, tree.Files, error) {
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
	return index, files, err
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
