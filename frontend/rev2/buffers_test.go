package rev2

import "testing"

// TestBuffers holds that buffers have the length that was asked for, whatever
// was put back before, and that foreign ones do no harm.
func TestBuffers(t *testing.T) {
	p := &buffers{}
	for round := range 3 {
		for _, n := range []int{0, 1, 255, 256, 257, 4 << 10, 256<<10 + 40, 1<<22 - 1, 1 << 22, 1<<22 + 1} {
			b := p.Get(n)
			if len(*b) != n || cap(*b) > max(1<<minBuffer, 2*n) {
				t.Errorf("round %d: buffer of %d bytes has length %d, capacity %d", round, n, len(*b), cap(*b))
			}
			p.Put(b)
			odd := make([]byte, n, n+3)
			p.Put(&odd)
		}
	}
}
