package farm

import (
	"context"
	"fmt"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Limits, in bytes.
const (
	maxStream = 1 << 20  // of stdout and stderr each, as kbuild.Result promises
	maxTree   = 64 << 20 // of a Tree message
)

// result translates what the farm answered.
func (c *Client) result(ctx context.Context, j *job, r *repb.ActionResult, cached bool) (*kbuild.Result, error) {
	stdout, err := c.text(ctx, r.StdoutRaw, r.StdoutDigest)
	if err != nil {
		return nil, fmt.Errorf("read stdout: %w", err)
	}
	stderr, err := c.text(ctx, r.StderrRaw, r.StderrDigest)
	if err != nil {
		return nil, fmt.Errorf("read stderr: %w", err)
	}
	outputs, err := c.outputs(ctx, r)
	if err != nil {
		return nil, err
	}
	return &kbuild.Result{
		Action:   j.digest,
		ExitCode: int(r.ExitCode),
		Stdout:   stdout,
		Stderr:   stderr,
		Outputs:  outputs,
		Cached:   cached,
		Wall:     elapsed(r.ExecutionMetadata),
		CPU:      cpu(r.ExecutionMetadata),
		Worker:   r.ExecutionMetadata.GetWorker(),
	}, nil
}

// cpu is the processor time that the worker reported, zero if it did not.
func cpu(m *repb.ExecutedActionMetadata) time.Duration {
	for _, a := range m.GetAuxiliaryMetadata() {
		usage := &kvfarmpb.ResourceUsage{}
		if a.MessageIs(usage) && a.UnmarshalTo(usage) == nil {
			return usage.UserTime.AsDuration() + usage.SystemTime.AsDuration()
		}
	}
	return 0
}

// text returns the first MiB of a stream, which may be inlined or not.
func (c *Client) text(ctx context.Context, raw []byte, p *repb.Digest) ([]byte, error) {
	if len(raw) > 0 || p.GetSizeBytes() == 0 {
		return raw[:min(len(raw), maxStream)], nil
	}
	d, err := digest.FromProto(p)
	if err != nil {
		return nil, err
	}
	return c.head(ctx, d, maxStream)
}

// outputs are the entries of r by path. The farm vouches for their contents.
func (c *Client) outputs(ctx context.Context, r *repb.ActionResult) (tree.Files, error) {
	files := tree.Files{}
	for _, f := range r.OutputFiles {
		d, err := digest.FromProto(f.Digest)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", f.Path, err)
		}
		files[f.Path] = tree.Entry{Kind: tree.File, Digest: d, Exec: f.IsExecutable}
	}
	for _, o := range r.OutputDirectories {
		d, err := c.directory(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", o.Path, err)
		}
		files[o.Path] = tree.Entry{Kind: tree.Dir, Digest: d}
	}
	//lint:ignore SA1019 farms of v2.0 use the older fields
	for _, links := range [][]*repb.OutputSymlink{r.OutputFileSymlinks, r.OutputDirectorySymlinks, r.OutputSymlinks} {
		for _, l := range links {
			files[l.Path] = tree.Entry{Kind: tree.Symlink, Target: l.Target}
		}
	}
	for _, e := range files {
		if e.Kind != tree.Symlink {
			c.known.add(e.Digest)
		}
	}
	return files, nil
}

// directory returns the root Directory of o. A farm that has only Trees gets
// the directories of this one.
func (c *Client) directory(ctx context.Context, o *repb.OutputDirectory) (digest.Digest, error) {
	if o.RootDirectoryDigest != nil {
		return digest.FromProto(o.RootDirectoryDigest)
	}
	d, err := digest.FromProto(o.TreeDigest)
	if err != nil {
		return digest.Digest{}, err
	}
	b, err := c.Blob(ctx, d, maxTree)
	if err != nil {
		return digest.Digest{}, err
	}
	t := &repb.Tree{}
	if err := proto.Unmarshal(b, t); err != nil {
		return digest.Digest{}, fmt.Errorf("decode tree %v: %w", d, err)
	}
	return c.plant(ctx, t)
}

// plant stores the directories of t and returns the root's digest.
func (c *Client) plant(ctx context.Context, t *repb.Tree) (digest.Digest, error) {
	var blobs []cas.Blob
	for _, dir := range append(t.Children, t.Root) {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(dir)
		if err != nil {
			return digest.Digest{}, err
		}
		blobs = append(blobs, cas.Blob{Digest: digest.Of(b), Data: b})
	}
	for _, err := range c.store.PutBatch(ctx, blobs) {
		if err != nil {
			return digest.Digest{}, err
		}
	}
	return blobs[len(blobs)-1].Digest, nil
}
