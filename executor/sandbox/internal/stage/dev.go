package stage

import (
	"errors"
	"os"
	"syscall"
)

// devices are all that /dev has, with their numbers.
var devices = []struct {
	name         string
	major, minor int
}{
	{"null", 1, 3},
	{"zero", 1, 5},
	{"full", 1, 7},
	{"random", 1, 8},
	{"urandom", 1, 9},
}

var devLinks = map[string]string{
	"fd":     "/proc/self/fd",
	"stdin":  "/proc/self/fd/0",
	"stdout": "/proc/self/fd/1",
	"stderr": "/proc/self/fd/2",
}

func mountDev(spec *Spec) error {
	dev := spec.Root + "/dev"
	if err := syscall.Mount("tmpfs", dev, "tmpfs", syscall.MS_NOSUID|syscall.MS_NOEXEC, "size=64k,mode=0755"); err != nil {
		return err
	}
	for _, d := range devices {
		if err := makeDevice(dev+"/"+d.name, "/dev/"+d.name, d.major<<8|d.minor); err != nil {
			return in("device "+d.name, err)
		}
	}
	for name, target := range devLinks {
		if err := os.Symlink(target, dev+"/"+name); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dev+"/shm", 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("", dev, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY|syscall.MS_NOSUID|syscall.MS_NOEXEC, ""); err != nil {
		return err
	}
	return syscall.Mount(spec.Root+"/tmp/shm", dev+"/shm", "", syscall.MS_BIND, "")
}

// makeDevice makes a node, or where that is refused mounts the host's.
func makeDevice(name, host string, number int) error {
	err := syscall.Mknod(name, syscall.S_IFCHR|0o666, number)
	if err == nil {
		return os.Chmod(name, 0o666)
	}
	if !errors.Is(err, syscall.EPERM) {
		return err
	}
	if err := os.WriteFile(name, nil, 0o666); err != nil {
		return err
	}
	return syscall.Mount(host, name, "", syscall.MS_BIND, "")
}
