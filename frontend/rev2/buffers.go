package rev2

import (
	"math/bits"
	"sync"

	"google.golang.org/grpc/experimental"
)

// UseBuffers gives gRPC, in all of this process, buffers that fit messages of
// blobs. It is to be called before anything serves or connects.
//
// gRPC's own pool has none between 32 KiB and 1 MiB, and clears each whole
// buffer before it is used: for every piece of a blob, 256 KiB, it would clear
// four times as much as is then written over.
func UseBuffers() { experimental.SetDefaultBufferPool(&buffers{}) }

const (
	minBuffer = 8  // powers of two: what is smaller costs more to pool than to make
	maxBuffer = 22 // 4 MiB, a full batch; what is larger is rare
)

// buffers is a pool of buffers by powers of two. A buffer may hold what somebody
// else has left in it: whoever gets one writes all of its length.
type buffers struct{ tiers [maxBuffer + 1]sync.Pool }

// tier returns the power of two that n bytes fit in.
func tier(n int) int { return max(minBuffer, bits.Len(uint(max(n, 1)-1))) }

// Get implements mem.BufferPool.
func (p *buffers) Get(n int) *[]byte {
	t := tier(n)
	if t > maxBuffer {
		b := make([]byte, n)
		return &b
	}
	if b, ok := p.tiers[t].Get().(*[]byte); ok {
		*b = (*b)[:n]
		return b
	}
	b := make([]byte, n, 1<<t)
	return &b
}

// Put implements mem.BufferPool. It takes back only what Get has made.
func (p *buffers) Put(b *[]byte) {
	if t := tier(cap(*b)); t <= maxBuffer && cap(*b) == 1<<t {
		p.tiers[t].Put(b)
	}
}
