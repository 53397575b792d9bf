package sandbox

import (
	"bytes"
	"io"
	"sync"
)

// Output is the beginning of what a command wrote to stdout or stderr.
type Output struct {
	kept  bytes.Buffer
	limit int64
	total int64
	watch io.Writer // gets what is kept, as it comes; or nil
}

// Write implements io.Writer. It never fails: what is over the limit is counted
// and dropped, so that the command is not held up by it.
func (o *Output) Write(p []byte) (int, error) {
	o.total += int64(len(p))
	if room := o.limit - int64(o.kept.Len()); room > 0 {
		kept := p[:min(room, int64(len(p)))]
		o.kept.Write(kept)
		if o.watch != nil {
			_, _ = o.watch.Write(kept) // a watcher's trouble is not the command's
		}
	}
	return len(p), nil
}

// pipeful is how much a pipe holds, as machines have them.
const pipeful = 64 << 10

var pipefuls = sync.Pool{New: func() any { return new([pipeful]byte) }}

// ReadFrom implements io.ReaderFrom: most commands write nothing, and what is
// read with should not be made for each of them.
func (o *Output) ReadFrom(r io.Reader) (n int64, err error) {
	buf := pipefuls.Get().(*[pipeful]byte)
	defer pipefuls.Put(buf)
	for {
		m, err := r.Read(buf[:])
		n += int64(m)
		_, _ = o.Write(buf[:m]) // it never fails
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// Bytes returns what was kept.
func (o *Output) Bytes() []byte { return o.kept.Bytes() }

// Total returns how many bytes were written, the dropped ones too.
func (o *Output) Total() int64 { return o.total }
