package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/sandbox"
)

const (
	smallBlob  = 1 << 20 // bytes up to which blobs are stored in one batch
	batchBytes = 8 << 20 // of a batch
	inlineText = 4 << 10 // bytes of stdout and stderr that stand in the result itself
	maxDepth   = 512     // folders below one another, as trees may have
)

// inside cleans a path that is to stay inside of what it is relative to. The
// folder itself is "".
func inside(p string) (string, error) {
	clean := path.Clean("/" + p)[1:]
	if strings.HasPrefix(p, "/") {
		return "", fmt.Errorf("path %q is not relative", p)
	}
	if rel := path.Clean(p); rel == ".." || strings.HasPrefix(rel, "../") {
		return "", fmt.Errorf("path %q leads out", p)
	}
	return clean, nil
}

// place returns where output p is in the input root.
func (j *job) place(p string) (string, error) {
	clean, err := inside(path.Join(j.command.WorkingDirectory, p))
	if err != nil || strings.HasPrefix(p, "/") {
		return "", invalid("output %q is not inside the input root", p)
	}
	return clean, nil
}

func (j *job) outputParents() ([]string, error) {
	var dirs []string
	for _, p := range j.wanted() {
		at, err := j.place(p)
		if err != nil {
			return nil, err
		}
		if parent := path.Dir(at); parent != "." {
			dirs = append(dirs, parent)
		}
	}
	return dirs, nil
}

// collector reads outputs through the view that the command had, and stores
// them.
type collector struct {
	store  cas.Store
	by     digest.Function
	view   *os.Root
	format repb.Command_OutputDirectoryFormat
	room   int64 // bytes of files that may yet come: one without a byte on disk may claim as many as it likes
	batch  []cas.Blob
	size   int
}

// collect stores the outputs and returns the result that names them. Of a
// command that was stopped, only its text is kept.
func (j *job) collect(ctx context.Context, left *sandbox.Result) (*repb.ActionResult, error) {
	c := &collector{store: j.cfg.Store, by: j.by(), view: left.Inputs,
		format: j.command.OutputDirectoryFormat, room: j.cfg.Outputs}
	r := &repb.ActionResult{ExitCode: int32(left.ExitCode)}
	var err error
	if r.StdoutRaw, r.StdoutDigest, err = c.text(ctx, &left.Stdout); err != nil {
		return nil, err
	}
	if r.StderrRaw, r.StderrDigest, err = c.text(ctx, &left.Stderr); err != nil {
		return nil, err
	}
	if !left.TimedOut && left.Inputs != nil {
		for _, p := range j.wanted() {
			if err := j.output(ctx, c, r, p); err != nil {
				return nil, err
			}
		}
	}
	return r, c.flush(ctx)
}

// output adds output p to r, if it is there.
func (j *job) output(ctx context.Context, c *collector, r *repb.ActionResult, p string) error {
	at, err := j.place(p)
	if err != nil {
		return err
	}
	if at == "" {
		at = "."
	}
	info, err := c.view.Lstat(at)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return nil
	}
	if err != nil {
		return invalid("output %q: %w", p, err)
	}
	switch {
	case info.IsDir():
		dir, err := c.dir(ctx, at)
		if err != nil {
			return err
		}
		dir.Path = p
		r.OutputDirectories = append(r.OutputDirectories, dir)
	case info.Mode()&fs.ModeSymlink != 0:
		return j.symlink(c, r, p, at)
	default:
		d, err := c.file(ctx, at, info)
		if err != nil {
			return err
		}
		r.OutputFiles = append(r.OutputFiles, &repb.OutputFile{Path: p, Digest: d.Proto(), IsExecutable: info.Mode()&0o100 != 0})
	}
	return nil
}

// symlink adds a link as such, whether it leads somewhere or not.
func (j *job) symlink(c *collector, r *repb.ActionResult, p, at string) error {
	target, err := c.view.Readlink(at)
	if err != nil {
		return err
	}
	if !utf8.ValidString(target) {
		return invalid("output %q: its target is not UTF-8", p)
	}
	link := &repb.OutputSymlink{Path: p, Target: target}
	r.OutputSymlinks = append(r.OutputSymlinks, link)
	j.oldSymlink(r, link)
	return nil
}

// text stores what was written to stdout or stderr, if it is long.
func (c *collector) text(ctx context.Context, o *sandbox.Output) ([]byte, *repb.Digest, error) {
	if b := o.Bytes(); len(b) <= inlineText {
		return b, nil, nil
	}
	d := c.by.Of(o.Bytes())
	return nil, d.Proto(), c.put(ctx, d, o.Bytes())
}

// put stores a small blob with the next batch, a larger one at once.
func (c *collector) put(ctx context.Context, d digest.Digest, b []byte) error {
	if len(b) > smallBlob {
		return c.store.Put(ctx, d, bytes.NewReader(b))
	}
	c.batch = append(c.batch, cas.Blob{Digest: d, Data: b})
	if c.size += len(b); c.size > batchBytes {
		return c.flush(ctx)
	}
	return nil
}

func (c *collector) flush(ctx context.Context) error {
	if len(c.batch) == 0 {
		return nil
	}
	err := cas.OneError(cas.PutBatch(ctx, c.store, c.batch))
	c.batch, c.size = nil, 0
	return err
}

// file stores a regular file and refuses everything else.
func (c *collector) file(ctx context.Context, at string, info fs.FileInfo) (digest.Digest, error) {
	if !info.Mode().IsRegular() {
		return digest.Digest{}, invalid("output %q is neither file, folder nor link: %v", at, info.Mode().Type())
	}
	if c.room -= info.Size(); c.room < 0 {
		return digest.Digest{}, invalid("output %q: all outputs together are over the limit of bytes", at)
	}
	f, err := c.open(at)
	if err != nil {
		return digest.Digest{}, err
	}
	defer func() { _ = f.Close() }()
	if info.Size() <= smallBlob {
		b, err := io.ReadAll(f)
		if err != nil {
			return digest.Digest{}, err
		}
		d := c.by.Of(b)
		return d, c.put(ctx, d, b)
	}
	return c.large(ctx, f)
}

// open opens an output, which the command may have closed to its own user.
func (c *collector) open(at string) (*os.File, error) {
	f, err := c.view.Open(at)
	if errors.Is(err, fs.ErrPermission) {
		return nil, invalid("output %q cannot be read: %w", at, err)
	}
	return f, err
}

func (c *collector) large(ctx context.Context, f *os.File) (digest.Digest, error) {
	d, err := c.by.OfReader(f)
	if err != nil {
		return d, err
	}
	if missing, err := c.store.Missing(ctx, []digest.Digest{d}); err != nil || len(missing) == 0 {
		return d, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return d, err
	}
	return d, c.store.Put(ctx, d, f)
}

// dir stores a folder and all below it.
func (c *collector) dir(ctx context.Context, at string) (*repb.OutputDirectory, error) {
	files := tree.Files{}
	if err := c.walk(ctx, files, at, "", 0); err != nil {
		return nil, err
	}
	m, err := tree.BuildBy(c.by, files)
	if err != nil {
		return nil, invalid("output %q: %w", at, err)
	}
	out := &repb.OutputDirectory{}
	if c.format == repb.Command_DIRECTORY_ONLY || c.format == repb.Command_TREE_AND_DIRECTORY { // another that is not known is a Tree alone
		out.RootDirectoryDigest = m.Root.Proto()
		for d, b := range m.Dirs {
			if err := c.put(ctx, d, b); err != nil {
				return nil, err
			}
		}
	}
	if c.format != repb.Command_DIRECTORY_ONLY {
		body, err := m.Tree()
		if err != nil {
			return nil, err
		}
		d := c.by.Of(body)
		out.TreeDigest = d.Proto()
		if err := c.put(ctx, d, body); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *collector) walk(ctx context.Context, files tree.Files, at, name string, depth int) error {
	if depth > maxDepth {
		return invalid("output %q is deeper than the limit of %d folders", at, maxDepth)
	}
	dir, err := c.open(at)
	if err != nil {
		return err
	}
	entries, err := dir.ReadDir(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return err
	}
	if len(entries) == 0 && name != "" {
		files[name] = tree.Entry{Kind: tree.Dir, Digest: c.by.Empty()}
	}
	for _, e := range entries {
		if err := c.entry(ctx, files, path.Join(at, e.Name()), path.Join(name, e.Name()), depth, e); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) entry(ctx context.Context, files tree.Files, at, name string, depth int, e fs.DirEntry) error {
	switch {
	case e.IsDir():
		return c.walk(ctx, files, at, name, depth+1)
	case e.Type() == fs.ModeSymlink:
		target, err := c.view.Readlink(at)
		files[name] = tree.Entry{Kind: tree.Symlink, Target: target}
		return err
	default:
		info, err := e.Info()
		if err != nil {
			return err
		}
		d, err := c.file(ctx, at, info)
		files[name] = tree.Entry{Kind: tree.File, Digest: d, Exec: info.Mode()&0o100 != 0}
		return err
	}
}
