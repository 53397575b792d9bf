package stage

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copyLayers puts the layers, the top one last, into dir: what an overlay
// would show, for machines that have none. Only whole layers are copied: with
// Copy there is one.
func copyLayers(spec *Spec, dir string) error {
	if len(spec.Layers) > 1 {
		return fmt.Errorf("copy: %d layers, can do one", len(spec.Layers))
	}
	for _, layer := range spec.Layers {
		if err := copyTree(spec, layer, dir); err != nil {
			return err
		}
	}
	return nil
}

func copyTree(spec *Spec, from, to string) error {
	return filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil || rel == "." {
			return err
		}
		if err := copyEntry(name, filepath.Join(to, rel), e); err != nil {
			return err
		}
		return own(spec, filepath.Join(to, rel))
	})
}

func copyEntry(from, to string, e fs.DirEntry) error {
	switch {
	case e.IsDir():
		return os.Mkdir(to, 0o755)
	case e.Type() == fs.ModeSymlink:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	default:
		return copyFile(from, to)
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, st.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
