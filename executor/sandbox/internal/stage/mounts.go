package stage

import (
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"
)

const (
	harmless = syscall.MS_NOSUID | syscall.MS_NODEV
	readOnly = syscall.MS_BIND | syscall.MS_REMOUNT | syscall.MS_RDONLY | harmless
)

// build makes the file system that the command sees and enters it. Nothing of
// it has a name outside, so there is nothing to clean up, however it ends.
func build(spec *Spec) error {
	steps := []struct {
		name string
		do   func(*Spec) error
	}{
		{"detach mounts from the host's", private},
		{"mount the root", mountRoot},
		{"mount scratch", mountScratch},
		{"mount the input root", mountInputs},
		{"mount /dev", mountDev},
		{"mount /tmp", mountTmp},
		{"mount /proc", mountProc},
		{"change the root", changeRoot},
		{"set the host name", func(*Spec) error { return syscall.Sethostname([]byte("kvfarm")) }},
		{"bring up loopback", func(*Spec) error { return loopbackUp() }},
	}
	for _, s := range steps {
		if err := s.do(spec); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func private(spec *Spec) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	return os.Chdir(spec.Dir)
}

func mountRoot(spec *Spec) error {
	if err := syscall.Mount(spec.Root, spec.Root, "", syscall.MS_BIND, ""); err != nil {
		return err
	}
	return syscall.Mount("", spec.Root, "", readOnly, "")
}

// mountScratch puts one tmpfs with one limit beneath all that is writable. It
// lies where /tmp will, and is covered by it.
func mountScratch(spec *Spec) error {
	tmp := spec.Root + "/tmp"
	if err := syscall.Mount("tmpfs", tmp, "tmpfs", harmless,
		fmt.Sprintf("size=%d,nr_inodes=%d,mode=0755", spec.Scratch, spec.Inodes)); err != nil {
		return err
	}
	for name, mode := range map[string]os.FileMode{"up": 0o755, "work": 0o755, "tmp": 0o777 | os.ModeSticky, "shm": 0o777 | os.ModeSticky} {
		dir := tmp + "/" + name
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(dir, mode); err != nil {
			return err
		}
	}
	return own(spec, tmp+"/up")
}

func own(spec *Spec, name string) error {
	if !spec.Become {
		return nil
	}
	return os.Lchown(name, spec.UID, spec.GID)
}

func mountInputs(spec *Spec) error {
	up, at := spec.Root+"/tmp/up", spec.Root+InputDir
	if len(spec.Layers) == 0 || spec.Copy {
		if err := copyLayers(spec, up); err != nil {
			return err
		}
		return syscall.Mount(up, at, "", syscall.MS_BIND, "")
	}
	options := "lowerdir=" + strings.Join(spec.Layers, ":") + ",upperdir=" + up + ",workdir=" + spec.Root + "/tmp/work"
	if !spec.Become {
		options += ",userxattr"
	}
	return syscall.Mount("overlay", at, "overlay", harmless, options)
}

// mountTmp comes last of those that lie on the scratch, which it covers.
func mountTmp(spec *Spec) error {
	return syscall.Mount(spec.Root+"/tmp/tmp", spec.Root+"/tmp", "", syscall.MS_BIND, "")
}

func mountProc(spec *Spec) error {
	err := syscall.Mount("proc", spec.Root+"/proc", "proc", harmless|syscall.MS_NOEXEC, "")
	if err == syscall.EPERM {
		return fmt.Errorf("%w (the container that this runs in hides parts of its /proc; unmask it)", err)
	}
	return err
}

func changeRoot(spec *Spec) error {
	if err := os.Chdir(spec.Root); err != nil {
		return err
	}
	if err := syscall.PivotRoot(".", "."); err != nil {
		return err
	}
	return syscall.Unmount(".", syscall.MNT_DETACH)
}

func makeFolders(spec *Spec) error {
	for _, dir := range spec.Mkdirs {
		if err := makeFolder(spec, dir); err != nil {
			return err
		}
	}
	return nil
}

func makeFolder(spec *Spec, dir string) error {
	err := os.Mkdir(dir, 0o755)
	if os.IsNotExist(err) {
		if err := makeFolder(spec, path.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o755)
	}
	if os.IsExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return own(spec, dir)
}
