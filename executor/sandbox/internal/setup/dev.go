package setup

import "golang.org/x/sys/unix"

// devices are all that /dev has, with their numbers.
var devices = []struct {
	name         string
	major, minor uint64
}{
	{"null", 1, 3},
	{"zero", 1, 5},
	{"full", 1, 7},
	{"random", 1, 8},
	{"urandom", 1, 9},
}

var devLinks = [][2]string{
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
}

func (p *Program) mountDev(s *Spec) {
	dev := s.Root + "/dev"
	p.doing("mount /dev")
	p.mount("tmpfs", dev, "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "size=64k,mode=0755")
	for _, d := range devices {
		p.doing("mount /dev: device " + d.name)
		p.device(dev+"/"+d.name, "/dev/"+d.name, d.major<<8|d.minor)
	}
	p.doing("mount /dev")
	for _, l := range devLinks {
		p.symlink(l[1], dev+"/"+l[0])
	}
	p.mkdir(dev+"/shm", 0o755)
	p.mount("", dev, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NOEXEC, "")
	p.mount(s.Root+"/tmp/shm", dev+"/shm", "", unix.MS_BIND, "")
}

// device makes a node, or where that is refused mounts the host's.
func (p *Program) device(name, host string, number uint64) {
	refused := p.call(unix.SYS_MKNODAT, fd(unix.AT_FDCWD), p.string(name), unix.S_IFCHR|0o666, number).ignoring(unix.EPERM)
	refused.jump = p.next() + 2
	p.chmod(name, 0o666)
	over := p.jump()
	p.open(name, unix.O_RDONLY|unix.O_CREAT, 0o666, place{}) // not to write: that would keep /dev writable
	p.mount(host, name, "", unix.MS_BIND, "")
	p.land(over)
}
