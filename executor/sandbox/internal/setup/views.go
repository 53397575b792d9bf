package setup

import (
	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/stage"
)

// openViews opens what is handed over to the worker, before /tmp covers it, and
// returns the address of a control message with the descriptors.
func (p *Program) openViews(s *Spec) (message []byte, at uint64) {
	names := []string{s.Root + InputDir}
	if s.Settles {
		names = append(names, s.Root+"/tmp/up")
	}
	message = unix.UnixRights(make([]int, len(names))...)
	at = p.bytes(message)
	p.doing("open the input root")
	for i, name := range names {
		p.open(name, unix.O_RDONLY|unix.O_DIRECTORY, 0, place{data: at + uint64(unix.CmsgLen(4*i))})
	}
	return message, at
}

// sendViews hands over what openViews opened. Our descriptors close when the
// command is started.
func (p *Program) sendViews(message []byte, at uint64) {
	p.doing("send the view of the input root")
	one := p.words(p.bytes([]byte{0}), 1) // struct iovec
	// struct msghdr: no name, one part, the message, no flags
	header := p.words(0, 0, one, 1, at, uint64(len(message)), 0)
	p.call(unix.SYS_SENDMSG, stage.ControlFD, header, unix.MSG_NOSIGNAL)
}
