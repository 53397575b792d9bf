package stage

import (
	"os"
	"syscall"
)

const (
	harmless = syscall.MS_NOSUID | syscall.MS_NODEV
	readOnly = syscall.MS_BIND | syscall.MS_REMOUNT | syscall.MS_RDONLY | harmless
)

// build makes the file system that the command sees and enters it. Nothing of
// it has a name outside, so there is nothing to clean up, however it ends. It
// returns the open layer that is written to, or -1 if nobody wants it.
func build(spec *Spec) (changes int, err error) {
	changes = -1
	steps := []struct {
		name string
		do   func(*Spec) error
	}{
		{"detach mounts from the host's", private},
		{"mount the root", mountRoot},
		{"mount scratch", mountScratch},
		{"mount the input root", mountInputs},
		{"open the layer that is written to", func(spec *Spec) (err error) { changes, err = openChanges(spec); return err }},
		{"mount /dev", mountDev},
		{"mount /tmp", mountTmp},
		{"mount /proc", mountProc},
		{"change the root", changeRoot},
		{"set the host name", func(*Spec) error { return syscall.Sethostname([]byte("kvfarm")) }},
		{"bring up loopback", func(*Spec) error { return loopbackUp() }},
	}
	for _, s := range steps {
		if err := s.do(spec); err != nil {
			return -1, in(s.name, err)
		}
	}
	return changes, nil
}

// openChanges comes before /tmp covers the layer, from when on it has no name.
func openChanges(spec *Spec) (int, error) {
	if !spec.Settles {
		return -1, nil
	}
	return syscall.Open(spec.Root+"/tmp/up", syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
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
	if err := syscall.Mount("tmpfs", tmp, "tmpfs", harmless, spec.Scratch); err != nil {
		return err
	}
	for _, name := range []string{"up", "work", "tmp", "shm"} {
		if err := os.Mkdir(tmp+"/"+name, 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"tmp", "shm"} {
		if err := os.Chmod(tmp+"/"+name, 0o777|os.ModeSticky); err != nil {
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
	if spec.Lower == "" || spec.Copy {
		if err := copyLayer(spec, up); err != nil {
			return err
		}
		return syscall.Mount(up, at, "", syscall.MS_BIND, "")
	}
	options := "lowerdir=" + spec.Lower + ",upperdir=" + up + ",workdir=" + spec.Root + "/tmp/work"
	if spec.Become {
		// Whatever the kernel was configured to: a layer that can be read by itself.
		options += ",redirect_dir=off,metacopy=off"
	} else {
		options += ",userxattr" // which implies both
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
		return in("the container that this runs in hides parts of its /proc; unmask it", err)
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
		if err := makeFolder(spec, parent(dir)); err != nil {
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

// parent returns the folder that dir, an absolute clean path, is in.
func parent(dir string) string {
	for i := len(dir) - 1; i > 0; i-- {
		if dir[i] == '/' {
			return dir[:i]
		}
	}
	return "/"
}
