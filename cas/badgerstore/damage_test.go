package badgerstore_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// damage is something that may befall a pack.
var damages = map[string]func(t *testing.T, path string, rng *rand.Rand){
	"flipped bit": func(t *testing.T, path string, rng *rand.Rand) {
		edit(t, path, func(b []byte) []byte {
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			return b
		})
	},
	"zeroed page": func(t *testing.T, path string, rng *rand.Rand) {
		edit(t, path, func(b []byte) []byte {
			at := rng.IntN(len(b))
			clear(b[at:min(len(b), at+4096)])
			return b
		})
	},
	"moved bytes": func(t *testing.T, path string, rng *rand.Rand) {
		edit(t, path, func(b []byte) []byte { return slices.Insert(b, rng.IntN(len(b)), 7) })
	},
	"cut off": func(t *testing.T, path string, rng *rand.Rand) {
		edit(t, path, func(b []byte) []byte { return b[:rng.IntN(len(b))] })
	},
	"gone": func(t *testing.T, path string, _ *rand.Rand) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	},
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// damaged returns a store one of whose packs has been damaged, and the blobs
// that had been put into it.
func damaged(t *testing.T, damage func(*testing.T, string, *rand.Rand), seed uint64) (*badgerstore.Store, [][]byte) {
	t.Helper()
	dir := t.TempDir()
	s, err := openQuiet(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var contents [][]byte
	for i, n := range []int{1, 10, 4096, 50000, 1 << 18, 1<<18 + 1, 1 << 20} {
		b := castest.Bytes(uint64(i), n)
		contents = append(contents, b)
		if err := s.Put(t.Context(), damagedName(b), bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		r := &repb.ActionResult{ExitCode: int32(i), StdoutDigest: damagedName(b).Proto()}
		if err := s.SetResult(t.Context(), damagedName(b), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	packs, err := filepath.Glob(filepath.Join(dir, "packs", "*"))
	if err != nil || len(packs) != 2 {
		t.Fatal(packs, err)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	damage(t, packs[rng.IntN(len(packs))], rng)
	return openDir(t, dir), contents
}

// damagedName is the digest of one of these blobs, of which some are by one
// function and some by another.
func damagedName(b []byte) digest.Digest {
	return digest.Functions()[len(b)%2].Of(b)
}

func readAll(t *testing.T, s cas.Store, d digest.Digest) ([]byte, error) {
	t.Helper()
	r, err := s.Get(t.Context(), d, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// TestDamage damages a pack at random and reads everything: right bytes or
// ErrCorrupt. What was corrupt is missing then, and can be put again.
func TestDamage(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				seed := rand.Uint64()
				s, contents := damaged(t, damage, seed)
				inBatch(t, s, contents)
				bad := 0
				for i, b := range contents {
					d := damagedName(b)
					got, err := readAll(t, s, d)
					if err != nil && !errors.Is(err, cas.ErrCorrupt) {
						t.Errorf("seed %d: read %v = %v", seed, d, err)
					}
					if !bytes.HasPrefix(b, got) || err == nil && len(got) < len(b) {
						t.Fatalf("seed %d: wrong bytes for %v", seed, d)
					}
					r, resultErr := s.Result(t.Context(), d)
					if resultErr != nil && !errors.Is(resultErr, cas.ErrNotFound) || resultErr == nil && r.ExitCode != int32(i) {
						t.Errorf("seed %d: result %d = %v, %v", seed, i, r, resultErr)
					}
					if err != nil || resultErr != nil {
						bad++
					}
					if err != nil {
						mend(t, s, b)
					}
				}
				if bad == 0 {
					t.Logf("seed %d: the damage hit nothing that is in use", seed)
				}
			}
		})
	}
}

// inBatch reads some of the blobs at once: right bytes or ErrCorrupt.
func inBatch(t *testing.T, s cas.Store, contents [][]byte) {
	t.Helper()
	some := contents[:len(contents)/2]
	ds := make([]digest.Digest, len(some))
	for i, b := range some {
		ds[i] = damagedName(b)
	}
	got, errs := cas.ReadBlobs(t.Context(), s, ds)
	for i, b := range some {
		if errs[i] == nil && !bytes.Equal(got[i], b) {
			t.Errorf("wrong bytes for %v in a batch", ds[i])
		}
		if errors.Is(errs[i], cas.ErrCorrupt) {
			mend(t, s, b)
		} else if errs[i] != nil {
			t.Errorf("read %v in a batch: %v", ds[i], errs[i])
		}
	}
}

func mend(t *testing.T, s cas.Store, b []byte) {
	t.Helper()
	d := damagedName(b)
	if missing, err := s.Missing(t.Context(), []digest.Digest{d}); err != nil || len(missing) != 1 {
		t.Errorf("Missing of a corrupt blob = %v, %v", missing, err)
	}
	if err := s.Put(t.Context(), d, bytes.NewReader(b)); err != nil {
		t.Error(err)
	}
	if got, err := readAll(t, s, d); err != nil || !bytes.Equal(got, b) {
		t.Errorf("%v put again reads as %d bytes, %v", d, len(got), err)
	}
}

// TestFsck damages a pack, checks twice, and finds the store sound.
func TestFsck(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			s, contents := damaged(t, damage, 1)
			first, err := s.Fsck(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if first.Clean() {
				t.Error("Fsck finds nothing")
			}
			if first.Checked.Blobs != len(contents) || first.Checked.Results != len(contents) {
				t.Errorf("Fsck checked %+v", first.Checked)
			}
			second, err := s.Fsck(t.Context())
			if err != nil || !second.Clean() {
				t.Errorf("second Fsck = %+v, %v", second, err)
			}
			if got := second.Checked.Blobs + len(first.CorruptBlobs); got != len(contents) {
				t.Errorf("%d blobs are left and %d were dropped, of %d", second.Checked.Blobs, len(first.CorruptBlobs), len(contents))
			}
			for _, b := range contents {
				if slices.Contains(first.CorruptBlobs, damagedName(b)) {
					mend(t, s, b)
				} else if got, err := readAll(t, s, damagedName(b)); err != nil || !bytes.Equal(got, b) {
					t.Errorf("%v was not reported, reads as %d bytes, %v", damagedName(b), len(got), err)
				}
			}
		})
	}
}

func TestFsckFindsIncompleteResults(t *testing.T) {
	s := openDir(t, t.TempDir())
	action := digest.Of([]byte("action"))
	if err := s.SetResult(t.Context(), action, &repb.ActionResult{StdoutDigest: digest.Of([]byte("gone")).Proto()}); err != nil {
		t.Fatal(err)
	}
	report, err := s.Fsck(t.Context())
	if err != nil || !slices.Equal(report.Incomplete, []digest.Digest{action}) {
		t.Errorf("Fsck = %+v, %v", report, err)
	}
	if _, err := s.Result(t.Context(), action); !errors.Is(err, cas.ErrNotFound) {
		t.Errorf("Result = %v, want ErrNotFound", err)
	}
}

// TestDamagedIndex flips bits in badger's files: opening says so, or what is
// read is right.
func TestDamagedIndex(t *testing.T) {
	dir := t.TempDir()
	var counter uint64
	blobs := numbered(&counter, 2000, 40)
	s, err := openQuiet(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(append(s.PutBatch(t.Context(), blobs), s.Close())...); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "index", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for range min(6, len(whole)) {
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			damageBit(t, filepath.Join(copied, "index", filepath.Base(file)), rand.IntN(len(whole)))
			readDamaged(t, copied, blobs)
		}
	}
}

// TestDamagedEndOfIndex flips each of the last bytes of badger's tables, which
// say where a table's own index lies.
func TestDamagedEndOfIndex(t *testing.T) {
	dir := t.TempDir()
	var counter uint64
	blobs := numbered(&counter, 200, 40)
	s, err := openQuiet(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(append(s.PutBatch(t.Context(), blobs), s.Close())...); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "index", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables %v, %v", tables, err)
	}
	st, err := os.Stat(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := st.Size() - 40; at < st.Size(); at++ {
		damageBit(t, tables[0], int(at))
		if s, err := openQuiet(t.Context(), dir); !errors.Is(err, cas.ErrCorrupt) {
			t.Errorf("byte %d from the end: Open = %v, want ErrCorrupt", st.Size()-at, err)
			if err == nil {
				_ = s.Close()
			}
		}
		damageBit(t, tables[0], int(at)) // flips it back
	}
	readDamaged(t, dir, blobs)
}

// TestOtherFormat: what a later version has written is refused as that, and not
// as damage, for which one would throw it away.
func TestOtherFormat(t *testing.T) {
	dir := t.TempDir()
	s, err := openQuiet(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "index", "MANIFEST"), func(b []byte) []byte {
		b[5]++
		return b
	})
	if _, err := openQuiet(t.Context(), dir); !errors.Is(err, badgerstore.ErrFormat) || errors.Is(err, cas.ErrCorrupt) {
		t.Errorf("Open = %v, want ErrFormat", err)
	}
}

// damageBit flips a bit of the byte at that offset, always the same.
func damageBit(t *testing.T, file string, at int) {
	t.Helper()
	edit(t, file, func(b []byte) []byte {
		b[at] ^= 1 << (at % 8)
		return b
	})
}

func readDamaged(t *testing.T, dir string, blobs []cas.Blob) {
	t.Helper()
	s, err := openQuiet(t.Context(), dir)
	if err != nil {
		if !errors.Is(err, cas.ErrCorrupt) && !errors.Is(err, badgerstore.ErrFormat) { // a bit makes one version another
			t.Errorf("Open = %v, want ErrCorrupt", err)
		}
		return
	}
	defer s.Close()
	for _, b := range blobs {
		got, err := readAll(t, s, b.Digest)
		if err == nil && !bytes.Equal(got, b.Data) || err != nil && !errors.Is(err, cas.ErrNotFound) && !errors.Is(err, cas.ErrCorrupt) {
			t.Errorf("%v reads as %d bytes, %v", b.Digest, len(got), err)
		}
	}
}
