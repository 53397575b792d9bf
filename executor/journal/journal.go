// Package journal keeps a queue's tasks over restarts: in a file, and in a map
// for tests.
package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// A file is frames one after the other: the length of a record and a CRC-32C
// of it, four bytes each, little-endian, then the record; then zeros, or nothing.
// What a process that was killed left half written at the end does not count.
//
// The zeros are where the next frames come: what takes the place of bytes that a
// file has is flushed by itself, what makes it longer with the file's own record.
const (
	headLen   = 8
	maxRecord = 64 << 20 // bytes
	slack     = 4 << 20  // bytes that a file may have beyond twice what it needs
	ahead     = 1 << 20  // zeros
)

var zeros [ahead]byte

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// File is a queue.Journal in a file to which records are appended. When most
// of it is out of date it is written anew.
type File struct {
	path string

	mu    sync.Mutex
	file  *os.File
	size  int64           // bytes of whole frames
	room  int64           // bytes of the file
	live  map[string]span // the newest frame of each name
	used  int64           // bytes of those
	limit int64           // size at which it is written anew
}

type span struct{ off, len int64 }

// Open opens or makes the journal at path. One process at a time may use it.
func Open(path string, log *slog.Logger) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &File{path: path, file: f, live: map[string]span{}}
	torn, err := j.replay(func(queue.Record) {})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", err), f.Close())
	}
	j.limit = 2*j.used + slack
	if torn {
		log.Warn("the journal's end is not whole and does not count", "file", path)
	}
	return j, nil
}

// replay reads all whole frames and leaves out what comes after the last. It is
// torn if that is not nothing.
func (j *File) replay(visit func(queue.Record)) (torn bool, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(j.file, 0, 1<<62), 1<<20)
	off := int64(0)
	for {
		body, ok := readFrame(r)
		if !ok {
			break
		}
		rec, err := queue.DecodeRecord(body)
		if err != nil {
			return false, fmt.Errorf("at %d: %w", off, err)
		}
		j.note(rec, span{off, headLen + int64(len(body))})
		off += headLen + int64(len(body))
		visit(rec)
	}
	if torn, err = j.holds(off); err != nil {
		return false, err
	}
	j.size, j.room = off, off
	return torn, j.file.Truncate(off)
}

// holds reports whether there is anything but zeros from off on.
func (j *File) holds(off int64) (bool, error) {
	end, err := j.file.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	r := bufio.NewReaderSize(io.NewSectionReader(j.file, off, end-off), 1<<20)
	for {
		b, err := r.ReadByte()
		if err == io.EOF {
			return false, nil
		}
		if b != 0 || err != nil {
			return true, err
		}
	}
}

func readFrame(r io.Reader) (body []byte, ok bool) {
	var head [headLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, false
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n == 0 || n > maxRecord {
		return nil, false
	}
	body = make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, false
	}
	return body, crc32.Checksum(body, castagnoli) == binary.LittleEndian.Uint32(head[4:])
}

func appendFrame(b, body []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(body, castagnoli))
	return append(b, body...)
}

// note keeps account of what is up to date.
func (j *File) note(r queue.Record, at span) {
	j.used -= j.live[r.Name].len
	delete(j.live, r.Name)
	if !r.Gone {
		j.live[r.Name] = at
		j.used += at.len
	}
}

// Load implements queue.Journal.
func (j *File) Load() ([]queue.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	newest := map[string]queue.Record{}
	_, err := j.replay(func(r queue.Record) {
		if newest[r.Name] = r; r.Gone {
			delete(newest, r.Name)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("load journal: %w", err)
	}
	all := make([]queue.Record, 0, len(newest))
	for _, r := range newest {
		all = append(all, r)
	}
	return all, nil
}

// Write implements queue.Journal.
func (j *File) Write(records []queue.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var b []byte
	spans := make([]span, len(records))
	for i := range records {
		body, err := records[i].Encode()
		if err != nil {
			return err
		}
		if len(body) > maxRecord {
			return fmt.Errorf("write journal: operation %q takes %d bytes, more than %d", records[i].Name, len(body), maxRecord)
		}
		spans[i] = span{j.size + int64(len(b)), headLen + int64(len(body))}
		b = appendFrame(b, body)
	}
	leases := !slices.ContainsFunc(records, func(r queue.Record) bool { return !r.Leased })
	if err := j.append(b, !leases); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	for i, r := range records {
		j.note(r, spans[i])
	}
	if j.size > j.limit {
		j.shrink()
	}
	return nil
}

// append adds whole frames, or nothing.
func (j *File) append(b []byte, flush bool) error {
	end := j.size + int64(len(b))
	if end > j.room {
		if _, err := j.file.WriteAt(zeros[:], end); err == nil { // else there may be room for the frames
			j.room = end + ahead
		}
	}
	_, err := j.file.WriteAt(b, j.size)
	if err == nil && flush {
		err = unix.Fdatasync(int(j.file.Fd()))
	}
	if err != nil {
		j.room = j.size
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.size = end
	return nil
}

// shrink writes what is up to date to a new file. If that fails the old one
// grows on.
func (j *File) shrink() {
	if err := j.rewrite(); err != nil {
		_ = os.Remove(j.fresh()) // it is overwritten the next time
	}
	j.limit = max(2*j.used, j.size) + slack
}

func (j *File) fresh() string { return j.path + ".new" }

func (j *File) rewrite() error {
	f, err := os.Create(j.fresh())
	if err != nil {
		return err
	}
	live, size, err := j.copyTo(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(j.fresh(), j.path)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	_ = j.file.Close() // all of it that counts is in the new one
	j.file, j.live, j.size, j.room = f, live, size, size
	return syncDir(filepath.Dir(j.path))
}

// copyTo writes the live frames to f in their order.
func (j *File) copyTo(f *os.File) (live map[string]span, size int64, err error) {
	names := make([]string, 0, len(j.live))
	for name := range j.live {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(j.live[a].off - j.live[b].off) })
	w := bufio.NewWriterSize(f, 1<<20)
	live = make(map[string]span, len(names))
	for _, name := range names {
		at := j.live[name]
		if _, err := io.Copy(w, io.NewSectionReader(j.file, at.off, at.len)); err != nil {
			return nil, 0, err
		}
		live[name] = span{size, at.len}
		size += at.len
	}
	return live, size, w.Flush()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close gives the file to others.
func (j *File) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}
