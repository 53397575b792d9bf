package setup

import (
	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/stage"
)

// New writes the program for a spec, and returns it as it is sent.
func New(s *Spec) (*Program, []byte, error) {
	p := newProgram()
	p.dieWithWorker()
	p.doing("set the umask")
	p.call(unix.SYS_UMASK, 0o022)
	p.build(s)
	p.makeFolders(s)
	p.restrict(s)
	if len(s.Argv) > 0 { // else it is only a try
		p.run(s)
	}
	end := p.next()
	p.doing("report")
	p.call(unix.SYS_WRITE, stage.ControlFD, stage.Base, stage.ReportSize)
	p.exit(0)
	b, err := p.encode(end)
	return p, b, err
}

// exit ends all threads of a process.
func (p *Program) exit(code uint64) { p.call(unix.SYS_EXIT_GROUP, code) }

// dieWithWorker has a thread end the sandbox when the other end of the control
// socket closes: the worker is gone.
func (p *Program) dieWithWorker() {
	const thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM
	p.doing("start a thread")
	start := p.call(unix.SYS_CLONE, thread)
	start.kind = stage.Thread
	start.jump++ // over the next step
	over := p.jump()
	p.call(unix.SYS_READ, stage.ControlFD, p.words(0), 1).ignore = anyError
	p.exit(1)
	p.land(over)
}

// build makes the file system that the command sees and enters it. Nothing of
// it has a name outside, so there is nothing to clean up, however it ends. The
// input root is handed over to the worker, who collects outputs through it when
// every process of the sandbox is dead, and so is the layer that is written to
// if somebody wants it.
func (p *Program) build(s *Spec) {
	p.doing("detach mounts from the host's")
	p.mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	p.chdir(s.Dir)
	p.mountRoot(s)
	p.mountScratch(s)
	p.mountInputs(s)
	message, at := p.openViews(s)
	p.mountDev(s)
	// This comes last of those that lie on the scratch, which it covers.
	p.doing("mount /tmp")
	p.mount(s.Root+"/tmp/tmp", s.Root+"/tmp", "", unix.MS_BIND, "")
	// A container may hide parts of its /proc, which forbids another one.
	p.doing("mount /proc (where that is not permitted: a container that hides parts of its own; unmask it)")
	p.mount("proc", s.Root+"/proc", "proc", harmless|unix.MS_NOEXEC, "")
	p.doing("change the root")
	p.chdir(s.Root)
	here := p.string(".")
	p.call(unix.SYS_PIVOT_ROOT, here, here)
	p.call(unix.SYS_UMOUNT2, here, unix.MNT_DETACH)
	p.doing("set the host name")
	name := "kvfarm"
	p.call(unix.SYS_SETHOSTNAME, p.string(name), uint64(len(name)))
	if s.Loopback {
		p.loopbackUp()
	}
	p.sendViews(message, at)
}

const (
	harmless = unix.MS_NOSUID | unix.MS_NODEV
	readOnly = unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | harmless
)

func (p *Program) mountRoot(s *Spec) {
	p.doing("mount the root")
	p.mount(s.Root, s.Root, "", unix.MS_BIND, "")
	p.mount("", s.Root, "", readOnly, "")
}

// mountScratch puts one tmpfs with one limit beneath all that is writable. It
// lies where /tmp will, and is covered by it.
func (p *Program) mountScratch(s *Spec) {
	p.doing("mount scratch")
	tmp := s.Root + "/tmp"
	p.mount("tmpfs", tmp, "tmpfs", harmless, s.Scratch)
	p.mkdir(tmp+"/up", 0o755)
	p.mkdir(tmp+"/work", 0o755)
	for _, name := range []string{"/tmp", "/shm"} {
		p.mkdir(tmp+name, 0o755)
		p.chmod(tmp+name, 0o1777)
	}
	p.own(s, tmp+"/up")
}

func (p *Program) mountInputs(s *Spec) {
	up, at := s.Root+"/tmp/up", s.Root+InputDir
	if s.Lower == "" || s.Copy {
		p.copyLayer(s, up)
		p.doing("mount the input root")
		p.mount(up, at, "", unix.MS_BIND, "")
		return
	}
	options := "lowerdir=" + s.Lower + ",upperdir=" + up + ",workdir=" + s.Root + "/tmp/work"
	if s.Become {
		// Whatever the kernel was configured to: a layer that can be read by itself.
		options += ",redirect_dir=off,metacopy=off"
	} else {
		options += ",userxattr" // which implies both
	}
	p.doing("mount the input root")
	p.mount("overlay", at, "overlay", harmless, options)
}

// loopbackUp makes 127.0.0.1 work; there is no other interface.
func (p *Program) loopbackUp() {
	p.doing("bring up loopback")
	var request [40]byte // struct ifreq
	copy(request[:], "lo")
	request[unix.IFNAMSIZ] = unix.IFF_UP
	p.call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0).store = p.arg(0, 0)
	p.call(unix.SYS_IOCTL, 0, unix.SIOCSIFFLAGS, p.bytes(request[:]))
}
