package badgerstore

import (
	"encoding/binary"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// The kinds of entry in the index. A blob under two digest functions is two
// entries, each checked by its own: one that referred to the other would have to
// be counted, kept and dropped with it.
const (
	blobs   = 'b'
	results = 'a'
)

// key names an entry of the index: its kind and function, the hash, the size
// big-endian. Sorted keys of one kind and function are sorted by hash.
type key [1 + 32 + 8]byte

func keyOf(kind byte, d digest.Digest) (k key, err error) {
	err = k.set(kind, d)
	return k, err
}

// set makes k the key of d.
func (k *key) set(kind byte, d digest.Digest) error {
	k[0] = firstByte(kind, d.Function)
	binary.BigEndian.PutUint64(k[33:], uint64(d.Size))
	return d.RawTo((*[32]byte)(k[1:]))
}

// firstByte is the first byte of a key: a lower-case letter for SHA-256, the
// upper-case one for BLAKE3.
func firstByte(kind byte, f digest.Function) byte {
	if f == digest.BLAKE3 {
		return kind &^ lower
	}
	return kind
}

// lower is what sets a lower-case letter apart.
const lower = 'a' ^ 'A'

func (k key) kind() byte { return k[0] | lower }

func (k key) function() digest.Function {
	if k[0]&lower == 0 {
		return digest.BLAKE3
	}
	return digest.SHA256
}

func (k key) digest() digest.Digest {
	return k.function().FromRaw([32]byte(k[1:33]), int64(binary.BigEndian.Uint64(k[33:])))
}

// loc is what the index holds of an entry: where its content lies and when it
// was last used.
type loc struct {
	pack uint32
	off  int64
	size int64  // of the content in bytes, frames not counted
	used uint32 // seconds since 1970
}

// locSize is the length of an encoded loc.
const locSize = 4 + 8 + 8 + 4

func (l loc) encode() []byte {
	b := make([]byte, 0, locSize)
	b = binary.BigEndian.AppendUint32(b, l.pack)
	b = binary.BigEndian.AppendUint64(b, uint64(l.off))
	b = binary.BigEndian.AppendUint64(b, uint64(l.size))
	return binary.BigEndian.AppendUint32(b, l.used)
}

// decodeLoc is the inverse of encode. Anything else lies in pack 0, which never
// exists, so that it reads as corrupt and is dropped.
func decodeLoc(b []byte) loc {
	if len(b) != locSize {
		return loc{}
	}
	l := loc{
		pack: binary.BigEndian.Uint32(b),
		off:  int64(binary.BigEndian.Uint64(b[4:])),
		size: int64(binary.BigEndian.Uint64(b[12:])),
		used: binary.BigEndian.Uint32(b[20:]),
	}
	if l.off < 0 || l.off > maxContent || l.size < 0 || l.size > maxContent {
		return loc{}
	}
	return l
}

// extent returns the place that l's framed content takes.
func (l loc) extent() extent { return extent{pack: l.pack, off: l.off, len: framed(l.size)} }
