package badgerstore

import (
	"encoding/binary"
	"hash/crc32"
)

// An extent is written as a head, content in frames, and a list of the entries
// whose content it is. Heads follow one another: where one extent ends the next
// begins, so that what the index lacks after a power failure is read from the
// packs again (replay.go).
//
//	head   mark, length of the extent, number, checksum
//	list   entries as in the index, how many, checksum
//
// The head is there before the next extent is, the list when the content is.
const (
	headLen   = 4 + 8 + 8 + 4
	recordLen = len(key{}) + locSize
	listEnd   = 4 + 4

	headMark = 0x6b766578 // "kvex"
)

// extent is a stretch of a pack, in bytes.
type extent struct {
	pack     uint32
	off, len int64
}

func (e extent) end() int64 { return e.off + e.len }

// content returns where an extent's content begins.
func (e extent) content() int64 { return e.off + headLen }

// extentLen returns the length of an extent of n bytes of framed content, which
// is that of so many entries.
func extentLen(n int64, entries int) int64 { return headLen + n + listLen(entries) }

func listLen(entries int) int64 { return int64(entries*recordLen + listEnd) }

// seal tells what has been written since the store was opened from whatever else
// may stand in a pack, such as content that somebody made to look like a head.
// It is random, and nobody is told.
type seal [8]byte

func (s seal) sum(pack uint32, off int64, b []byte) uint32 {
	at := binary.BigEndian.AppendUint32(s[:], pack)
	at = binary.BigEndian.AppendUint64(at, uint64(off))
	return crc32.Update(crc32.Checksum(at, castagnoli), castagnoli, b)
}

// head returns the head of extent e, the number-th that was begun.
func (s seal) head(e extent, number uint64) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, headLen), headMark)
	b = binary.BigEndian.AppendUint64(b, uint64(e.len))
	b = binary.BigEndian.AppendUint64(b, number)
	return binary.BigEndian.AppendUint32(b, s.sum(e.pack, e.off, b))
}

// openHead reads the head of an extent at off, if b is one.
func (s seal) openHead(pack uint32, off int64, b []byte) (e extent, number uint64, ok bool) {
	rest := b[:headLen-4]
	e = extent{pack: pack, off: off, len: int64(binary.BigEndian.Uint64(b[4:]))}
	ok = binary.BigEndian.Uint32(b) == headMark && binary.BigEndian.Uint32(b[headLen-4:]) == s.sum(pack, off, rest) &&
		e.len >= extentLen(0, 0) && e.len <= maxContent
	return e, binary.BigEndian.Uint64(b[12:]), ok
}

// appendList appends the list of an extent's entries to dst.
func (s seal) appendList(dst []byte, e extent, entries []entry) []byte {
	start := len(dst)
	for _, x := range entries {
		dst = append(dst, x.key[:]...)
		dst = append(dst, x.loc.encode()...)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(entries)))
	return binary.BigEndian.AppendUint32(dst, s.sum(e.pack, e.off, dst[start:]))
}

// openList returns the entries of extent e, if b is their list.
func (s seal) openList(e extent, b []byte) ([]entry, bool) {
	end := len(b) - 4
	if binary.BigEndian.Uint32(b[end:]) != s.sum(e.pack, e.off, b[:end]) {
		return nil, false
	}
	var entries []entry
	for records := b[:end-4]; len(records) >= recordLen; records = records[recordLen:] {
		x := entry{key: key(records), loc: decodeLoc(records[len(key{}):recordLen])}
		if at := x.loc.extent(); at.pack == e.pack && at.off >= e.content() && at.end() <= e.end() {
			entries = append(entries, x)
		}
	}
	return entries, true
}
