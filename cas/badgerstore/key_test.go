package badgerstore

import (
	"bytes"
	"testing"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// FuzzEntry reads arbitrary bytes as an entry of the index: what it names is a
// place that can be looked at, or pack 0, which never exists.
func FuzzEntry(f *testing.F) {
	f.Add(loc{pack: 1, off: 4096, size: 100, used: 1e9}.encode())
	f.Add(loc{pack: 1<<32 - 1, off: maxContent, size: maxContent}.encode())
	f.Add([]byte("short"))
	f.Add(bytes.Repeat([]byte{0xff}, locSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := decodeLoc(b)
		if e := l.extent(); e.off < 0 || e.len < sumLen || e.end() < e.off {
			t.Errorf("entry %x names the stretch %+v", b, e)
		}
		if l.pack != 0 && !bytes.Equal(l.encode(), b) {
			t.Errorf("entry %x is written back as %x", b, l.encode())
		}
	})
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("content"), 0)
	f.Add([]byte{}, 3)
	f.Fuzz(func(t *testing.T, content []byte, flip int) {
		k, err := keyOf(blobs, digest.Of(content))
		if err != nil || k.digest() != digest.Of(content) {
			t.Fatalf("key of %v is %x, %v", digest.Of(content), k, err)
		}
		same := digest.Digest{Hash: k.digest().Hash, Size: k.digest().Size, Function: digest.BLAKE3}
		byOther, err := keyOf(blobs, same)
		if err != nil || byOther == k || byOther.kind() != blobs || byOther.digest() != same {
			t.Fatalf("key of %v is %x, %v", same, byOther, err)
		}
		frame := appendFrame(nil, k, content)
		if got, ok := openFrame(k, frame); !ok || !bytes.Equal(got, content) {
			t.Errorf("frame of %x opens as %x, %v", content, got, ok)
		}
		other, err := keyOf(results, digest.Of(content))
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range []key{other, byOther} {
			if _, ok := openFrame(other, frame); ok {
				t.Errorf("a frame of %x opens under %x", k, other)
			}
		}
		frame[uint(flip)%uint(len(frame))] ^= 1
		if _, ok := openFrame(k, frame); ok {
			t.Error("a damaged frame opens")
		}
	})
}

// TestFramed compares where frames lie with where they are said to lie.
func TestFramed(t *testing.T) {
	k := key{blobs}
	for _, n := range []int{0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3*chunk + 1} {
		b := appendFrames(nil, k, make([]byte, n))
		if int64(len(b)) != framed(int64(n)) {
			t.Errorf("%d bytes take %d, framed says %d", n, len(b), framed(int64(n)))
		}
		for off := 0; off < n; off += chunk / 2 {
			start := frameOffset(int64(off))
			end := min(start+chunk+sumLen, int64(len(b)))
			if _, ok := openFrame(k, b[start:end]); !ok {
				t.Errorf("of %d bytes, no frame starts at %d for offset %d", n, start, off)
			}
		}
	}
}
