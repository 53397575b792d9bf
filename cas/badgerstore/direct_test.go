package badgerstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// streamed returns blobs that go into a pack as they come: of about a frame, of
// about whole pages with what an extent has beside its content, and larger.
func streamed(seed uint64) (blobs [][]byte) {
	for i, size := range []int{256<<10 + 1, 260 << 10, 512<<10 - 120, 512 << 10, mib + 3900, mib + 4096, 5*mib + 77} {
		blobs = append(blobs, castest.Bytes(seed+uint64(i), size))
	}
	return blobs
}

func putAll(t *testing.T, s cas.Store, blobs [][]byte) {
	t.Helper()
	for _, b := range blobs {
		if _, err := cas.PutBlob(t.Context(), s, b); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDirect stores streams past the page cache, if the file system knows such a
// thing, and where it knows none, or wants more than we give it.
func TestDirect(t *testing.T) {
	for name, open := range map[string]func(string) (*os.File, error){
		"as the file system can": nil,
		"it cannot":              func(string) (*os.File, error) { return nil, unix.EINVAL },
		"it refuses each write": func(string) (*os.File, error) {
			return os.OpenFile("/proc/self/clear_refs", os.O_WRONLY, 0) // takes a number, and nothing else
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if open != nil {
				badgerstore.SetOpenDirect(t, open)
			}
			s := openDir(t, dir)
			blobs := streamed(1)
			putAll(t, s, blobs)
			wantBlobs(t, s, blobs)
			if report, err := s.Fsck(t.Context()); err != nil || !report.Clean() {
				t.Errorf("Fsck = %+v, %v", report, err)
			}
			if direct := open == nil && canDirect(t, dir); direct && !s.Direct() {
				t.Error("the page cache was used")
			}
		})
	}
}

func canDirect(t *testing.T, dir string) bool {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "probe"), os.O_CREATE|os.O_WRONLY|unix.O_DIRECT, 0o600)
	if err != nil {
		return false
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return true
}

// TestStreamsAfterBatches: where small blobs have left a pack in the midst of a
// page, streams go on, and what follows is found after a power failure.
func TestStreamsAfterBatches(t *testing.T) {
	dir := t.TempDir()
	var want [][]byte
	for round := range uint64(2) { // more, and badger would change tables while they are copied
		small := [][]byte{castest.Bytes(round, 100+int(round)*1000)}
		s, err := openQuiet(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		putAll(t, s, small)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		o := newOutage(t, dir)
		large := streamed(100 * (round + 1))[round : round+2]
		putAll(t, o, large)
		o.keep("packs")
		dir = o.after
		want = append(want, append(small, large...)...)
		s, err = openQuiet(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		wantBlobs(t, s, want)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// stall stores streams and says so, begins another one, and never ends.
func stall(dir string) error {
	ctx := context.Background()
	s, err := openQuiet(ctx, dir)
	if err != nil {
		return err
	}
	for _, b := range streamed(1) {
		if _, err := cas.PutBlob(ctx, s, b); err != nil {
			return err
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	b := castest.Bytes(99, 3*mib)
	go func() { err = s.Put(ctx, digest.Of(b), r) }()
	if _, err := w.Write(b[:mib]); err != nil {
		return err
	}
	fmt.Println("stored")
	time.Sleep(time.Hour)
	return err
}

// TestRoomIsGivenBack: packs are set aside beyond their content while they are
// written to, and no longer, be the process killed.
func TestRoomIsGivenBack(t *testing.T) {
	dir := t.TempDir()
	out, stop := child(t, "stall", dir)
	if line, err := out.ReadString('\n'); line != "stored\n" {
		t.Fatalf("child says %q, %v", line, err)
	}
	stop()
	if _, err := out.ReadString('\n'); err == nil {
		t.Fatal("the child lives on")
	}
	content := int64(0)
	for _, b := range streamed(1) {
		content += int64(len(b))
	}
	if got := packBytes(t, dir); got < content+4*mib {
		t.Errorf("packs of a process that was killed have %d bytes for %d of content: nothing is set aside", got, content)
	}
	s, err := badgerstore.Open(t.Context(), badgerstore.Config{Dir: dir, Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := packBytes(t, dir); got > content+4*mib { // the stream that was not finished included
		t.Errorf("packs have %d bytes for %d of content", got, content)
	}
	wantBlobs(t, s, streamed(1))
	more := castest.Bytes(77, 2*mib)
	putAll(t, s, [][]byte{more})
	if size, err := s.Content(); err != nil || size > content+8*mib {
		t.Errorf("Content = %d, %v: what is set aside counts", size, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := packBytes(t, dir); got > content+7*mib {
		t.Errorf("closed packs have %d bytes for %d of content", got, content)
	}
	s = openDir(t, dir)
	wantBlobs(t, s, append(streamed(1), more))
}

// packBytes returns the length of all packs.
func packBytes(t *testing.T, dir string) (total int64) {
	t.Helper()
	packs, err := filepath.Glob(filepath.Join(dir, "packs", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pack := range packs {
		st, err := os.Stat(pack)
		if err != nil {
			t.Fatal(err)
		}
		total += st.Size()
	}
	return total
}

// TestTornStream: of streams whose pages were lost, in whole or in part, none is
// brought back, and all others are.
func TestTornStream(t *testing.T) {
	blobs := streamed(1)
	for torn := range blobs {
		o := newOutage(t, t.TempDir())
		putAll(t, o, blobs)
		o.keep("packs")
		packs, err := filepath.Glob(filepath.Join(o.after, "packs", "*"))
		if err != nil || len(packs) != 1 {
			t.Fatal(packs, err)
		}
		edit(t, packs[0], func(b []byte) []byte {
			at := bytes.Index(b, blobs[torn][5000:5100]) &^ 4095
			clear(b[at : at+4096])
			return b
		})
		s := openDir(t, o.after)
		for i, b := range blobs {
			got, err := readAll(t, s, digest.Of(b))
			if i == torn && !errors.Is(err, cas.ErrNotFound) || i != torn && (err != nil || !bytes.Equal(got, b)) {
				t.Errorf("with %d torn, %d reads as %d bytes, %v", torn, i, len(got), err)
			}
		}
	}
}
