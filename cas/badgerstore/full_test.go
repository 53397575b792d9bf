package badgerstore_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// smallDisk mounts a file system of size bytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Getenv("KVFARM_CI") == "1" {
			t.Fatalf("mount: %v", err)
		}
		t.Skipf("needs to mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// fill takes all the space there is, and returns a function that gives it back.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, mib); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// putUntilFull stores blobs of size bytes until there is no room, and returns them.
func putUntilFull(t *testing.T, s cas.Store, size int) [][]byte {
	t.Helper()
	for blobs := [][]byte{}; ; {
		b := castest.Bytes(uint64(size+len(blobs)), size)
		if _, err := cas.PutBlob(t.Context(), s, b); errors.Is(err, cas.ErrFull) {
			return blobs
		} else if err != nil {
			t.Fatal(err)
		}
		if blobs = append(blobs, b); len(blobs) > 1000 {
			t.Fatal("the disk takes more than it has")
		}
	}
}

func wantBlobs(t *testing.T, s cas.Store, blobs [][]byte) {
	t.Helper()
	for i, b := range blobs {
		got, err := readAll(t, s, digest.Of(b))
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("blob %d reads as %d bytes: %v", i, len(got), err)
		}
	}
}

func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "256m")
	s, err := openQuiet(t.Context(), filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	blobs := putUntilFull(t, s, 3*mib)
	blobs = append(blobs, putUntilFull(t, s, 100000)...)
	if len(blobs) < 20 {
		t.Errorf("only %d blobs fit", len(blobs))
	}
	wantBlobs(t, s, blobs)

	empty := fill(t, dir)
	action := digest.Of([]byte("action"))
	if err := s.SetResult(t.Context(), action, &repb.ActionResult{}); !errors.Is(err, cas.ErrFull) {
		t.Errorf("SetResult = %v, want ErrFull", err)
	}
	if _, err := cas.PutBlob(t.Context(), s, castest.Bytes(77, 10)); !errors.Is(err, cas.ErrFull) {
		t.Errorf("Put = %v, want ErrFull", err)
	}
	wantBlobs(t, s, blobs)

	// With the disk filled by others, too, it is closed, opened and collected.
	if err := s.Close(); err != nil {
		t.Fatalf("Close = %v", err)
	}
	s = openDir(t, filepath.Join(dir, "state"))
	wantBlobs(t, s, blobs)
	if report, err := s.Fsck(t.Context()); err != nil || !report.Clean() {
		t.Errorf("Fsck = %+v, %v", report, err)
	}
	if _, err := cas.PutBlob(t.Context(), s, castest.Bytes(77, 10)); !errors.Is(err, cas.ErrFull) {
		t.Errorf("Put = %v, want ErrFull", err)
	}
	s.SetClock(later)
	report, err := s.GC(t.Context(), badgerstore.GCConfig{Limit: 10 * mib})
	if err != nil || report.After.Bytes > 10*mib || report.Freed < 10*mib {
		t.Errorf("GC = %+v, %v", report, err)
	}

	empty()
	if err := s.SetResult(t.Context(), action, &repb.ActionResult{}); err != nil {
		t.Errorf("SetResult with room again = %v", err)
	}
	if _, err := cas.PutBlob(t.Context(), s, castest.Bytes(77, 3*mib)); err != nil {
		t.Errorf("Put with room again = %v", err)
	}
}

func TestOpenOnFullDisk(t *testing.T) {
	dir := smallDisk(t, "64m")
	fill(t, dir)
	if _, err := openQuiet(t.Context(), filepath.Join(dir, "state")); !errors.Is(err, cas.ErrFull) {
		t.Errorf("Open = %v, want ErrFull", err)
	}
}
