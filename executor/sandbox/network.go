package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A network namespace is a third of what it costs to start a process in new
// ones, and the kernel takes as much time again to end it. Most commands open no
// socket. So a seat is in a namespace of its own, in which its sandboxes start
// one after another, as long as nothing in it tells that there was one before.

// network is the namespace that a thread is in.
type network struct {
	says []statement
	buf  [mostSaid]byte
}

// statement is what a file says of a namespace in which nothing was.
type statement struct {
	file  *os.File
	part  func([]byte) []byte // of the namespace; nil: all
	first []byte
}

// traces are files that tell, together, what commands have left in a namespace.
// Whoever has no capability leaves nothing without a packet on the loopback, the
// one interface, or a socket that still is there, but for counters of what did
// not come so far, labels of flows, and lookups of routes.
var traces = []struct {
	name string
	part func([]byte) []byte
	must bool // be there; the kernel may lack the others, and what they tell of
}{
	{name: "dev", must: true},
	{name: "sockstat", must: true, part: firstLine}, // all sockets; the rest is about the machine
	{name: "snmp", must: true},
	{name: "netstat", must: true},
	{name: "snmp6"},
	{name: "ip6_flowlabel"},
	{name: "fib_triestat"},
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return line
}

// enterNetwork takes this thread, which must be locked, to a new namespace.
func enterNetwork() (*network, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("make network namespace: %w", err)
	}
	if err := loopbackUp(); err != nil {
		return nil, fmt.Errorf("bring up loopback: %w", err)
	}
	n := &network{}
	if err := n.listen(); err != nil { // then it is used once
		_ = n.close()
	}
	return n, nil
}

// listen notes what the files say of a namespace that is new.
func (n *network) listen() error {
	for _, trace := range traces {
		f, err := os.Open("/proc/thread-self/net/" + trace.name)
		if errors.Is(err, os.ErrNotExist) && !trace.must {
			continue
		}
		if err != nil {
			return err
		}
		s := statement{file: f, part: trace.part}
		first, err := s.read(&n.buf)
		s.first = bytes.Clone(first)
		n.says = append(n.says, s)
		if err != nil {
			return err
		}
	}
	return nil
}

// loopbackUp makes 127.0.0.1 work.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// mostSaid is more bytes than any of the files has: those with a line for each of
// what many may be have few lines in a namespace that is as new.
const mostSaid = 16 << 10

// read returns what the file says now, in buf.
func (s *statement) read(buf *[mostSaid]byte) ([]byte, error) {
	n, err := unix.Pread(int(s.file.Fd()), buf[:], 0)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.file.Name(), err)
	}
	b := buf[:n]
	if s.part != nil {
		b = s.part(b)
	}
	return b, nil
}

// asNew reports whether nothing in the namespace tells that something was.
func (n *network) asNew() bool {
	for _, s := range n.says {
		now, err := s.read(&n.buf)
		if err != nil || !bytes.Equal(now, s.first) {
			return false
		}
	}
	return len(n.says) > 0
}

// close lets the namespace end when nobody is in it any more.
func (n *network) close() error {
	var errs []error
	for _, s := range n.says {
		errs = append(errs, s.file.Close())
	}
	n.says = nil
	return errors.Join(errs...)
}
