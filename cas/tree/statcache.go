package tree

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// StatCache remembers the digests of files by what stat tells of them, so that
// a file is read again only after it has changed. Files are known by device and
// inode, wherever they stand. What changed within raceWindow of being read is
// not remembered: a later change might leave the same times behind. The change
// time, which nobody can set, is part of what must agree.
type StatCache struct {
	path string

	mu      sync.Mutex
	known   map[inode]record
	changed bool
}

type inode struct{ dev, ino uint64 }

type record struct {
	size, mtime, ctime int64
	used               int64 // day since 1970 on which it was last asked for
	sum                [sha256.Size]byte
}

const (
	// raceWindow is longer than the granularity of any file system's times.
	raceWindow = 2 * time.Second
	// keepDays is how long records stay that nobody asks for.
	keepDays = 30
	// cacheMagic starts the file and names the version of its form.
	cacheMagic = "kvfarm stats 1\n\x00"
	// recordSize is the length in bytes of an inode with its record.
	recordSize = 6*8 + sha256.Size
)

// OpenStatCache reads the cache that Save has left at path. A file that is not
// there or is damaged makes an empty cache.
func OpenStatCache(path string) (*StatCache, error) {
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open stat cache: %w", err)
	}
	return &StatCache{path: path, known: decodeRecords(b)}, nil
}

// decodeRecords returns what is in b, or nothing if b is not whole.
func decodeRecords(b []byte) map[inode]record {
	known := map[inode]record{}
	body, ok := bytes.CutPrefix(b, []byte(cacheMagic))
	if !ok || len(body) < sha256.Size || (len(body)-sha256.Size)%recordSize != 0 {
		return known
	}
	sum, body := body[:sha256.Size], body[sha256.Size:]
	if sha256.Sum256(body) != [sha256.Size]byte(sum) {
		return known
	}
	for ; len(body) > 0; body = body[recordSize:] {
		word := func(i int) uint64 { return binary.LittleEndian.Uint64(body[8*i:]) }
		known[inode{dev: word(0), ino: word(1)}] = record{
			size: int64(word(2)), mtime: int64(word(3)), ctime: int64(word(4)), used: int64(word(5)),
			sum: [sha256.Size]byte(body[6*8 : recordSize]),
		}
	}
	return known
}

func encodeRecords(known map[inode]record, today int64) []byte {
	body := make([]byte, 0, len(known)*recordSize)
	for n, r := range known {
		if r.used < today-keepDays {
			continue
		}
		for _, w := range []uint64{n.dev, n.ino, uint64(r.size), uint64(r.mtime), uint64(r.ctime), uint64(r.used)} {
			body = binary.LittleEndian.AppendUint64(body, w)
		}
		body = append(body, r.sum[:]...)
	}
	sum := sha256.Sum256(body)
	return bytes.Join([][]byte{[]byte(cacheMagic), sum[:], body}, nil)
}

// Save writes the cache to its path, if it has learnt something. Of several
// writers the last one wins.
func (c *StatCache) Save() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.changed {
		return nil
	}
	if err := replace(c.path, encodeRecords(c.known, day(time.Now()))); err != nil {
		return fmt.Errorf("save stat cache: %w", err)
	}
	c.changed = false
	return nil
}

// replace makes b the content of the file at path, at once.
func replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

func day(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// digest returns the digest of the file at path, whose stat is st. A nil cache
// reads the file every time.
func (c *StatCache) digest(path string, st stat) (digest.Digest, error) {
	if c == nil {
		d, _, err := digestFile(path)
		return d, err
	}
	if d, ok := c.look(st); ok {
		return d, nil
	}
	start := time.Now()
	d, st, err := digestFile(path)
	if err == nil {
		c.learn(st, d, start)
	}
	return d, err
}

func (c *StatCache) look(st stat) (digest.Digest, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := inode{dev: st.dev, ino: st.ino}
	r, ok := c.known[n]
	if !ok || r.size != st.size || r.mtime != st.mtime || r.ctime != st.ctime {
		return digest.Digest{}, false
	}
	if today := day(time.Now()); r.used != today {
		r.used = today
		c.known[n] = r
		c.changed = true
	}
	return digest.SHA256.FromRaw(r.sum, r.size), true
}

// learn remembers d for a file that was read from start on and had st before
// and after.
func (c *StatCache) learn(st stat, d digest.Digest, start time.Time) {
	if max(st.mtime, st.ctime) > start.Add(-raceWindow).UnixNano() {
		return
	}
	raw, err := d.Raw()
	if err != nil {
		return // not possible: it has just been computed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[inode{dev: st.dev, ino: st.ino}] = record{
		size: st.size, mtime: st.mtime, ctime: st.ctime, used: day(start), sum: raw,
	}
	c.changed = true
}

// errChanged says that a file was written to while it was read.
var errChanged = errors.New("changed while it was read")

// buffers are for reading files.
var buffers = sync.Pool{New: func() any { return new([128 << 10]byte) }}

// digestFile reads the regular file at path and returns its digest and stat.
func digestFile(path string) (digest.Digest, stat, error) {
	// Should a pipe have taken the file's place, opening it must not wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return digest.Digest{}, stat{}, err
	}
	defer f.Close()
	before, err := statOf(f)
	if err != nil {
		return digest.Digest{}, stat{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	d, err := digestOpen(f)
	if err != nil {
		return digest.Digest{}, stat{}, err
	}
	after, err := statOf(f)
	if err == nil && (before != after || !before.regular || d.Size != before.size) {
		err = errChanged
	}
	if err != nil {
		return digest.Digest{}, stat{}, &fs.PathError{Op: "digest", Path: path, Err: err}
	}
	return d, after, nil
}

func digestOpen(f *os.File) (digest.Digest, error) {
	buf := buffers.Get().(*[128 << 10]byte)
	defer buffers.Put(buf)
	h := sha256.New()
	size := int64(0)
	for {
		n, err := f.Read(buf[:])
		h.Write(buf[:n])
		size += int64(n)
		if err == io.EOF {
			return digest.SHA256.OfHash(h, size), nil
		}
		if err != nil {
			return digest.Digest{}, err
		}
	}
}
