package stage

import (
	"io"
	"os"
)

// copyLayer puts the layer, if there is one, into dir: what an overlay would
// show, for machines that have none.
func copyLayer(spec *Spec, dir string) error {
	if spec.Lower == "" {
		return nil
	}
	return copyTree(spec, spec.Lower, dir)
}

func copyTree(spec *Spec, from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := copyEntry(spec, from+"/"+e.Name(), to+"/"+e.Name(), e); err != nil {
			return err
		}
	}
	return own(spec, to)
}

func copyEntry(spec *Spec, from, to string, e os.DirEntry) error {
	switch {
	case e.IsDir():
		if err := os.Mkdir(to, 0o755); err != nil {
			return err
		}
		return copyTree(spec, from, to)
	case e.Type() == os.ModeSymlink:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		if err := os.Symlink(target, to); err != nil {
			return err
		}
	default:
		if err := copyFile(from, to); err != nil {
			return err
		}
	}
	return own(spec, to)
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
