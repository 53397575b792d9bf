package sandbox

import "bytes"

// Output is the beginning of what a command wrote to stdout or stderr.
type Output struct {
	kept  bytes.Buffer
	limit int64
	total int64
}

// Write implements io.Writer. It never fails: what is over the limit is counted
// and dropped, so that the command is not held up by it.
func (o *Output) Write(p []byte) (int, error) {
	o.total += int64(len(p))
	if room := o.limit - int64(o.kept.Len()); room > 0 {
		o.kept.Write(p[:min(room, int64(len(p)))])
	}
	return len(p), nil
}

// Bytes returns what was kept.
func (o *Output) Bytes() []byte { return o.kept.Bytes() }

// Total returns how many bytes were written, the dropped ones too.
func (o *Output) Total() int64 { return o.total }
