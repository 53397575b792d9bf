package setup

import (
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/stage"
)

// copyLayer puts the layer, if there is one, into dir: what an overlay would
// show, for machines that have none.
func (p *Program) copyLayer(s *Spec, dir string) {
	if s.Lower == "" {
		return
	}
	p.doing("copy the input root")
	err := filepath.WalkDir(filepath.Join(s.Dir, s.Lower), func(from string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(filepath.Join(s.Dir, s.Lower), from)
		if err != nil || below == "." {
			return err
		}
		to := filepath.Join(dir, below)
		if err := p.copyEntry(from, to, e); err != nil {
			return err
		}
		p.own(s, to)
		return nil
	})
	if err != nil && p.err == nil {
		p.err = err
	}
}

func (p *Program) copyEntry(from, to string, e fs.DirEntry) error {
	switch {
	case e.IsDir():
		p.mkdir(to, 0o755)
	case e.Type() == fs.ModeSymlink:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		p.symlink(target, to)
	default:
		info, err := e.Info()
		if err != nil {
			return err
		}
		p.copyFile(from, to, uint64(info.Mode().Perm()))
	}
	return nil
}

const most = 1 << 30 // bytes to copy at a time

func (p *Program) copyFile(from, to string, mode uint64) {
	p.open(from, unix.O_RDONLY, 0, p.arg(2, 1))
	p.open(to, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, mode, p.arg(1, 0))
	p.call(unix.SYS_SENDFILE, 0, 0, 0, most).kind = stage.Drain
	p.call(unix.SYS_CLOSE_RANGE, stage.ControlFD+1, uint64(^uint32(0)), 0) // there are no others yet
}
