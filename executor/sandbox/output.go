package sandbox

import (
	"bytes"
	"io"
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

// Bytes returns what was kept.
func (o *Output) Bytes() []byte { return o.kept.Bytes() }

// Total returns how many bytes were written, the dropped ones too.
func (o *Output) Total() int64 { return o.total }
