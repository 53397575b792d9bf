package stage

import (
	"errors"
	"io"
)

// maxMessage is more than argv and environment of one process may have.
const maxMessage = 16 << 20

// coder writes or reads the fields of a message in their order. It is by hand
// because encoding/json would take a good part of a sandbox's start: it is the
// first use of reflection, in every process anew.
type coder struct {
	buf     []byte
	reading bool
	err     error
}

var (
	errShort = errors.New("message is too short")
	errLong  = errors.New("message is over the limit of 16 MiB")
)

func (c *coder) int(v *int64) {
	if !c.reading {
		for shift := 56; shift >= 0; shift -= 8 {
			c.buf = append(c.buf, byte(uint64(*v)>>shift))
		}
		return
	}
	if len(c.buf) < 8 {
		c.err = errShort
		return
	}
	var u uint64
	for _, b := range c.buf[:8] {
		u = u<<8 | uint64(b)
	}
	*v, c.buf = int64(u), c.buf[8:]
}

func (c *coder) string(v *string) {
	n := int64(len(*v))
	c.int(&n)
	if !c.reading {
		c.buf = append(c.buf, *v...)
		return
	}
	if n < 0 || n > int64(len(c.buf)) {
		c.err = errShort
		return
	}
	*v, c.buf = string(c.buf[:n]), c.buf[n:]
}

// count codes a length, which is not more than there are bytes left.
func (c *coder) count(n int) int {
	v := int64(n)
	c.int(&v)
	if c.reading && (v < 0 || v > int64(len(c.buf))) {
		c.err = errShort
		return 0
	}
	return int(v)
}

func (c *coder) strings(v *[]string) {
	n := c.count(len(*v))
	if c.reading {
		*v = make([]string, n)
	}
	for i := range *v {
		c.string(&(*v)[i])
	}
}

func (c *coder) small(v *int) {
	n := int64(*v)
	c.int(&n)
	*v = int(n)
}

func (c *coder) bool(v *bool) {
	n := 0
	if *v {
		n = 1
	}
	c.small(&n)
	*v = n != 0
}

// message is a Spec or a Report.
type message interface{ code(c *coder) }

func (s *Spec) code(c *coder) {
	c.string(&s.Dir)
	c.string(&s.Root)
	c.string(&s.Lower)
	c.bool(&s.Copy)
	c.string(&s.Scratch)
	c.strings(&s.Argv)
	c.strings(&s.Search)
	c.strings(&s.Env)
	c.string(&s.WorkDir)
	c.strings(&s.Mkdirs)
	c.small(&s.UID)
	c.small(&s.GID)
	c.bool(&s.Become)
	c.bool(&s.Settles)
	n := c.count(len(s.Limits))
	if c.reading {
		s.Limits = make([]Limit, n)
	}
	for i := range s.Limits {
		c.small(&s.Limits[i].Resource)
		c.int(&s.Limits[i].Value)
	}
	c.string(&s.Filter)
}

func (r *Report) code(c *coder) {
	c.string(&r.Error)
	c.small(&r.Exit)
	c.int(&r.User)
	c.int(&r.System)
	c.int(&r.MaxRSS)
}

// Write sends m, with its length before it.
func Write(w io.Writer, m message) error {
	var body, head coder
	m.code(&body)
	n := int64(len(body.buf))
	head.int(&n)
	_, err := w.Write(append(head.buf, body.buf...))
	return err
}

// Read is the inverse of Write.
func Read(r io.Reader, m message) error {
	head := coder{buf: make([]byte, 8), reading: true}
	if _, err := io.ReadFull(r, head.buf); err != nil {
		return err
	}
	var n int64
	head.int(&n)
	if n < 0 || n > maxMessage {
		return errLong
	}
	body := coder{buf: make([]byte, n), reading: true}
	if _, err := io.ReadFull(r, body.buf); err != nil {
		return err
	}
	m.code(&body)
	return body.err
}
