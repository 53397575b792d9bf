package setup

import (
	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/stage"
)

// makeFolders makes folders that the command expects, from the top.
func (p *Program) makeFolders(s *Spec) {
	for _, dir := range s.Mkdirs {
		for i := range len(dir) + 1 {
			if i == 0 || i < len(dir) && dir[i] != '/' {
				continue
			}
			p.blaming("mkdir " + dir[:i])
			made := p.mkdir(dir[:i], 0o755).ignoring(unix.EEXIST)
			if s.Become {
				made.jump++ // over what gives it away
				p.own(s, dir[:i])
			}
		}
	}
}

// run runs the command as process 2. Process 1 reaps, as it must, until that
// one ends.
func (p *Program) run(s *Spec) {
	p.blaming("set resource limit")
	for _, l := range s.Limits {
		p.limit(l)
	}
	p.blaming("fork")
	fork := p.call(unix.SYS_CLONE, uint64(unix.CLONE_VM|unix.CLONE_VFORK)|uint64(unix.SIGCHLD))
	fork.kind, fork.store = stage.Fork, place{data: stage.Base + stage.PID}
	fork.jump = p.next() + 1
	over := p.jump()
	p.exec(s)
	p.land(over)
	p.doing("wait")
	p.call(unix.SYS_WAIT4, uint64(anyChild), stage.Base+stage.Status, 0, 0).kind = stage.Wait
	p.doing("get usage")
	p.call(unix.SYS_GETRUSAGE, uint64(rusageChildren), stage.Base+stage.Usage)
}

var anyChild, rusageChildren = -1, unix.RUSAGE_CHILDREN

// limit sets a resource limit, as far as we may have it ourselves.
func (p *Program) limit(l Limit) {
	v := uint64(l.Value)
	var now unix.Rlimit
	if err := unix.Getrlimit(l.Resource, &now); err == nil {
		v = min(v, now.Max)
	}
	p.call(unix.SYS_PRLIMIT64, 0, uint64(l.Resource), p.words(v, v), 0)
}

// exec is what the child does, to its end.
func (p *Program) exec(s *Spec) {
	p.blaming("make a session")
	p.call(unix.SYS_SETSID)
	if s.Become {
		p.blaming("become the command's user")
		p.call(unix.SYS_SETGROUPS, 0, 0)
		p.call(unix.SYS_SETGID, uint64(s.GID))
		p.call(unix.SYS_SETUID, uint64(s.UID))
		p.prctl(unix.PR_SET_DUMPABLE, 0) // memory is still that of process 1
	}
	p.blaming("chdir " + s.WorkDir)
	p.chdir(s.WorkDir)
	argv, env := p.strings(s.Argv), p.strings(s.Env)
	if len(s.Search) == 1 && s.Search[0] != "" { // exec says what is wrong with it
		p.blaming("exec " + s.Search[0])
		p.call(unix.SYS_EXECVE, p.string(s.Search[0]), argv, env)
		return
	}
	for _, file := range s.Search {
		p.blaming("exec " + file)
		p.call(unix.SYS_EXECVE, p.string(file), argv, env).
			ignoring(unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ELOOP, unix.ENAMETOOLONG)
	}
	p.blaming("exec " + s.Argv[0] + ": not found in PATH")
	p.call(unix.SYS_EXECVE, p.string(""), argv, env) // which there is not
}
