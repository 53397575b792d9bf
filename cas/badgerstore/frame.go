package badgerstore

import (
	"encoding/binary"
	"hash/crc32"
)

// Content lies in a pack as frames: up to chunk bytes, then their checksum. A
// reader checks a frame before it hands out a byte of it, from whatever offset
// it starts. The checksum covers the entry's key too, so that content in the
// wrong place shows as corrupt.
const (
	chunk  = 256 << 10 // bytes of content in a frame, and of a blob that is held in memory
	sumLen = 4

	maxContent = 1 << 50 // bytes of one blob: more than any disk has, and no sum of a few overflows
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frames returns how many frames content of n bytes has.
func frames(n int64) int64 { return max(1, (n+chunk-1)/chunk) }

// framed returns the bytes that content of n bytes, at most maxContent, takes in
// a pack.
func framed(n int64) int64 { return n + sumLen*frames(n) }

// frameOffset returns where the frame that holds content byte off starts.
func frameOffset(off int64) int64 { return off / chunk * (chunk + sumLen) }

func (k key) sum(content []byte) uint32 {
	return crc32.Update(crc32.Checksum(k[:], castagnoli), castagnoli, content)
}

// appendFrame appends one frame of content, which is at most a chunk, to dst.
func appendFrame(dst []byte, k key, content []byte) []byte {
	dst = append(dst, content...)
	return binary.BigEndian.AppendUint32(dst, k.sum(content))
}

// appendFrames appends content in frames to dst.
func appendFrames(dst []byte, k key, content []byte) []byte {
	for len(content) > chunk {
		dst = appendFrame(dst, k, content[:chunk])
		content = content[chunk:]
	}
	return appendFrame(dst, k, content)
}

// openFrame returns the content of frame, whether its checksum holds.
func openFrame(k key, frame []byte) ([]byte, bool) {
	n := len(frame) - sumLen
	return frame[:n], binary.BigEndian.Uint32(frame[n:]) == k.sum(frame[:n])
}
