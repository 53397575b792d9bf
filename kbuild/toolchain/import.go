package toolchain

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// mountPoints are folders that every root has, for what is mounted there.
var mountPoints = []string{"x", "tmp", "dev", "proc", "sys"}

// statsFile, beside the root, remembers digests between being made and being
// imported.
const statsFile = "stats"

// scan digests the part of t's root that the farm gets.
func (t *Toolchain) scan(ctx context.Context) (tree.Files, error) {
	stats, err := tree.OpenStatCache(filepath.Join(filepath.Dir(t.Dir), statsFile))
	if err != nil {
		return nil, err
	}
	files, err := tree.Scan(ctx, t.Dir, tree.ScanOptions{Skip: skip, SkipSpecial: true, Cache: stats})
	if err != nil {
		return nil, err
	}
	_ = stats.Save() // where it cannot be kept, the next scan reads the files again
	for _, p := range mountPoints {
		files[p] = tree.Entry{Kind: tree.Dir, Digest: digest.Empty}
	}
	return files, nil
}

// digest finds out what t's root is called.
func (t *Toolchain) digest(ctx context.Context) error {
	files, err := t.scan(ctx)
	if err != nil {
		return err
	}
	m, err := tree.Build(files)
	if err != nil {
		return err
	}
	t.Root = m.Root
	t.Files, t.Bytes = 0, 0
	for _, e := range files {
		if e.Kind == tree.File {
			t.Files++
			t.Bytes += e.Digest.Size
		}
	}
	return nil
}

// Import stores t's root in s, as far as s lacks it. It is quick if s has the
// root's directories: they are stored last.
func (t *Toolchain) Import(ctx context.Context, s cas.Store, told func(done, total int)) error {
	if t.Root.IsZero() {
		return fmt.Errorf("import toolchain %s: no action runs in it", t.Name)
	}
	missing, err := s.Missing(ctx, []digest.Digest{t.Root})
	if err == nil && len(missing) > 0 {
		err = t.upload(ctx, s, told)
	}
	if err != nil {
		return fmt.Errorf("import toolchain %s: %w", t.Name, err)
	}
	return nil
}

func (t *Toolchain) upload(ctx context.Context, s cas.Store, told func(done, total int)) error {
	files, err := t.scan(ctx)
	if err != nil {
		return err
	}
	m, err := tree.Build(files)
	if err != nil {
		return err
	}
	if m.Root != t.Root {
		return fmt.Errorf("%s has changed since it was made: it is %v now; remove the folder and make it again", t.Dir, m.Root)
	}
	_, err = tree.UploadDir(ctx, s, t.Dir, files, told)
	return err
}
