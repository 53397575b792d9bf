package badgerstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/complete"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// rig is a store whose clock the test sets.
type rig struct {
	*badgerstore.Store
	t    *testing.T
	by   digest.Function
	time time.Time
}

func newRig(t *testing.T) *rig {
	r := &rig{Store: openDir(t, t.TempDir()), t: t, time: time.Unix(1e9, 0)}
	r.SetClock(func() time.Time { return r.time })
	return r
}

// later moves the clock on, by more than uses are told apart by.
func (r *rig) later() { r.time = r.time.Add(time.Hour) }

func (r *rig) put(b []byte) digest.Digest {
	r.t.Helper()
	d := r.by.Of(b)
	if err := r.Put(r.t.Context(), d, bytes.NewReader(b)); err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) gc(cfg badgerstore.GCConfig) badgerstore.GCReport {
	r.t.Helper()
	report, err := r.GC(r.t.Context(), cfg)
	if err != nil {
		r.t.Fatalf("GC = %v", err)
	}
	return report
}

// has reports which of ds are there, without using them, by their readability.
func (r *rig) has(ds ...digest.Digest) []bool {
	r.t.Helper()
	there := make([]bool, len(ds))
	for i, d := range ds {
		_, err := cas.ReadBlob(r.t.Context(), r, d, 1<<30)
		if err != nil && !errors.Is(err, cas.ErrNotFound) {
			r.t.Errorf("read %v = %v", d, err)
		}
		there[i] = err == nil
	}
	return there
}

func (r *rig) wantHas(ds []digest.Digest, want ...bool) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.has(ds...)); diff != "" {
		r.t.Errorf("presence differs (-want +got):\n%s", diff)
	}
}

const mib = 1 << 20

func TestGCDropsLeastRecentlyUsed(t *testing.T) {
	r := newRig(t)
	var ds []digest.Digest
	for i := range 5 {
		ds = append(ds, r.put(castest.Bytes(uint64(i), mib)))
		r.later()
	}
	if _, err := r.Missing(t.Context(), ds[:1]); err != nil { // the first is used again
		t.Fatal(err)
	}
	r.later()
	report := r.gc(badgerstore.GCConfig{Limit: 3*mib + mib/2})
	r.wantHas(ds, true, false, false, true, true)
	if report.Before.Blobs != 5 || report.After.Blobs != 3 {
		t.Errorf("report tells of %d and %d blobs, want 5 and 3", report.Before.Blobs, report.After.Blobs)
	}
	if report.Freed < 2*mib-100000 || report.Freed > 2*mib+100000 {
		t.Errorf("%d bytes freed, want about 2 MiB", report.Freed)
	}
}

func TestGCForgetsNothingWithinLimit(t *testing.T) {
	r := newRig(t)
	var ds []digest.Digest
	for i := range 100 {
		ds = append(ds, r.put(castest.Bytes(uint64(i), i*1000)))
	}
	r.later()
	r.gc(badgerstore.GCConfig{Limit: 100 * mib})
	for i, there := range r.has(ds...) {
		if !there {
			t.Errorf("blob %d is gone", i)
		}
	}
}

func TestGCToNothingFreesTheDisk(t *testing.T) {
	r := newRig(t)
	for i := range 50 {
		r.put(castest.Bytes(uint64(i), mib))
		r.put(castest.Bytes(uint64(i), 5000))
	}
	before, err := r.Stat(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.later()
	report := r.gc(badgerstore.GCConfig{})
	after, err := r.Stat(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report.After != (badgerstore.Usage{}) || after.Usage != report.After {
		t.Errorf("%+v is left", report.After)
	}
	if before.Disk-after.Disk < 50*mib {
		t.Errorf("disk usage went from %d to %d only", before.Disk, after.Disk)
	}
	r.put(castest.Bytes(1, mib)) // and it goes on
	r.wantHas([]digest.Digest{digest.Of(castest.Bytes(1, mib))}, true)
}

// setResult stores a result with a file, a tree of two files, and stdout, all
// of their own.
func (r *rig) setResult(i int) (action digest.Digest, blobs []digest.Digest) {
	r.t.Helper()
	blob := func(what string) digest.Digest {
		d := r.put(append(castest.Bytes(uint64(i), mib/4), what...))
		blobs = append(blobs, d)
		return d
	}
	m, err := tree.BuildBy(r.by, tree.Files{"a": {Digest: blob("a")}, "b/c": {Digest: blob("c")}})
	if err != nil {
		r.t.Fatal(err)
	}
	msg, err := m.Tree()
	if err != nil {
		r.t.Fatal(err)
	}
	blobs = append(blobs, r.put(msg))
	result := &repb.ActionResult{
		OutputFiles:       []*repb.OutputFile{{Path: "f", Digest: blob("f").Proto()}},
		OutputDirectories: []*repb.OutputDirectory{{Path: "d", TreeDigest: r.by.Of(msg).Proto()}},
		StdoutDigest:      blob("stdout").Proto(),
	}
	action = r.by.Of(fmt.Append(nil, "action", i))
	if err := r.SetResult(r.t.Context(), action, result); err != nil {
		r.t.Fatal(err)
	}
	return action, blobs
}

// TestGCNeverBreaksResults collects to every limit and looks whether results
// are there as a whole or not at all.
func TestGCNeverBreaksResults(t *testing.T) {
	r := newRig(t)
	const n = 6
	actions := make([]digest.Digest, n)
	outputs := make([][]digest.Digest, n)
	for i := range n {
		r.by = digest.Functions()[i%2]
		actions[i], outputs[i] = r.setResult(i)
		r.later()
	}
	for limit := int64(n * mib); limit >= 0; limit -= mib / 3 {
		// The first result is used; its blobs are not, but must stay with it.
		_, err := r.Result(t.Context(), actions[0])
		if err != nil && !errors.Is(err, cas.ErrNotFound) {
			t.Fatal(err)
		}
		r.later()
		report := r.gc(badgerstore.GCConfig{Limit: limit})
		if report.After.Bytes > limit {
			t.Errorf("%d bytes are left, the limit is %d", report.After.Bytes, limit)
		}
		kept := 0
		for i := range n {
			_, err := r.Result(t.Context(), actions[i])
			if errors.Is(err, cas.ErrNotFound) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			kept++
			for j, there := range r.has(outputs[i]...) {
				if !there {
					t.Errorf("limit %d: result %d is there, its blob %d is gone", limit, i, j)
				}
			}
		}
		if _, err := r.Result(t.Context(), actions[0]); kept > 0 && err != nil {
			t.Errorf("limit %d: the result used last went before %d others: %v", limit, kept, err)
		}
		if kept != report.After.Results {
			t.Errorf("limit %d: %d results are left, the report says %d", limit, kept, report.After.Results)
		}
		r.later()
	}
}

func TestGCDropsIncompleteResults(t *testing.T) {
	r := newRig(t)
	gone := digest.Of([]byte("never stored"))
	for i, result := range []*repb.ActionResult{
		{StdoutDigest: gone.Proto()},
		{OutputDirectories: []*repb.OutputDirectory{{TreeDigest: gone.Proto()}}},
		{OutputFiles: []*repb.OutputFile{{Path: "no digest"}}},
	} {
		if err := r.SetResult(t.Context(), digest.Of([]byte{byte(i)}), result); err != nil {
			t.Fatal(err)
		}
	}
	r.later()
	if report := r.gc(badgerstore.GCConfig{Limit: mib}); report.Before.Results != 3 || report.After.Results != 0 {
		t.Errorf("%d of %d results are left", report.After.Results, report.Before.Results)
	}
}

func TestGCKeepsRoots(t *testing.T) {
	for _, f := range digest.Functions() {
		t.Run(f.String(), func(t *testing.T) {
			r := newRig(t)
			r.by = f
			keepsRoots(r)
		})
	}
}

// tree stores a tree's directories.
func (r *rig) tree(files tree.Files) digest.Digest {
	r.t.Helper()
	m, err := tree.BuildBy(r.by, files)
	if err == nil {
		err = m.Upload(r.t.Context(), r)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return m.Root
}

func keepsRoots(r *rig) {
	a, b, other := r.put([]byte("file a")), r.put([]byte("file b")), r.put([]byte("other"))
	root, input := r.tree(tree.Files{"x/a": {Digest: a}}), r.tree(tree.Files{"y/b": {Digest: b}})
	command := r.put([]byte("command"))
	msg, err := proto.Marshal(&repb.Action{CommandDigest: command.Proto(), InputRootDigest: input.Proto()})
	if err != nil {
		r.t.Fatal(err)
	}
	action, single, absent := r.put(msg), r.put([]byte("single")), r.by.Of([]byte("absent"))
	r.later()
	r.gc(badgerstore.GCConfig{Keep: badgerstore.Roots{
		Actions: []digest.Digest{action, absent},
		Trees:   []digest.Digest{root, absent},
		Blobs:   []digest.Digest{single, absent},
	}})
	r.wantHas([]digest.Digest{a, root, action, command, input, b, single, other}, true, true, true, true, true, true, true, false)
}

// Of an input root that is not whole yet, what is there stays: a client may be
// about to send the rest.
func TestGCKeepsWhatThereIs(t *testing.T) {
	r := newRig(t)
	a, b := r.put([]byte("file a")), r.put([]byte("file b"))
	root, err := tree.Upload(t.Context(), r, tree.Files{
		"gone": {Kind: tree.Dir, Digest: digest.Of([]byte("no directory"))},
		"lost": {Digest: digest.Of([]byte("no file"))},
		"x/a":  {Digest: a},
		"z/b":  {Digest: b},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.later()
	r.gc(badgerstore.GCConfig{Keep: badgerstore.Roots{Trees: []digest.Digest{root}}})
	r.wantHas([]digest.Digest{root, a, b}, true, true, true)
}

func TestGCGrace(t *testing.T) {
	r := newRig(t)
	old := r.put([]byte("old"))
	r.later()
	young := r.put([]byte("young"))
	r.time = r.time.Add(10 * time.Minute)
	r.gc(badgerstore.GCConfig{Grace: 15 * time.Minute})
	r.wantHas([]digest.Digest{old, young}, false, true)
}

// TestGCSparesReaders collects all while blobs are being read.
func TestGCSparesReaders(t *testing.T) {
	r := newRig(t)
	blobs := make([][]byte, 4)
	readers := make([]io.ReadCloser, len(blobs))
	for i := range blobs {
		blobs[i] = castest.Bytes(uint64(i), 3*mib)
		d := r.put(blobs[i])
		var err error
		if readers[i], err = r.Get(t.Context(), d, 0); err != nil {
			t.Fatal(err)
		}
	}
	r.later()
	if report := r.gc(badgerstore.GCConfig{}); report.After.Blobs != 0 {
		t.Fatalf("%d blobs are left", report.After.Blobs)
	}
	for i, reader := range readers {
		got, err := io.ReadAll(reader)
		if err != nil || !bytes.Equal(got, blobs[i]) {
			t.Errorf("blob %d reads as %d bytes, %v", i, len(got), err)
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := r.Pinned(); n != 0 {
		t.Errorf("%d extents stay pinned", n)
	}
	if report := r.gc(badgerstore.GCConfig{}); report.Freed < 12*mib-100000 { // a file of many holes takes a few blocks for them
		t.Errorf("%d bytes freed after the readers are done, want 12 MiB", report.Freed)
	}
}

// TestGCUnderLoad collects again and again while others put and read, with a
// clock that runs so fast that most of it is dropped. What has been used within
// the grace must be there, and nothing may ever read as something else.
func TestGCUnderLoad(t *testing.T) {
	s := openDir(t, t.TempDir())
	var seconds atomic.Int64
	s.SetClock(func() time.Time { return time.Unix(1e9+seconds.Load(), 0) })
	stop := make(chan struct{})
	var collector, workers errgroup.Group
	collector.Go(func() error {
		for {
			select {
			case <-stop:
				return nil
			default:
				if _, err := s.GC(t.Context(), badgerstore.GCConfig{Limit: mib, Grace: time.Hour}); err != nil {
					return err
				}
			}
		}
	})
	for w := range 4 {
		workers.Go(func() error {
			for i := range 150 {
				seconds.Add(20) // others may take 180 turns in one of ours
				if err := putAndReadBack(t.Context(), s, w, i); err != nil {
					return fmt.Errorf("worker %d, turn %d: %w", w, i, err)
				}
			}
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		t.Error(err)
	}
	close(stop)
	if err := collector.Wait(); err != nil {
		t.Error(err)
	}
	if n := s.Pinned(); n != 0 {
		t.Errorf("%d extents stay pinned", n)
	}
	report, err := s.Fsck(t.Context())
	if err != nil || !report.Clean() {
		t.Errorf("Fsck = %+v, %v", report, err)
	}
	if report.Checked.Blobs == 0 || report.Checked.Blobs > 400 {
		t.Errorf("%d of 600 blobs are left: the test shows nothing", report.Checked.Blobs)
	}
}

// putAndReadBack stores a blob and a result that refers to it, finds both, and
// looks at a blob of long ago.
func putAndReadBack(ctx context.Context, s *badgerstore.Store, w, i int) error {
	content := func(i int) []byte { return castest.Bytes(uint64(i*4+w), 100+(i*7919)%(mib/2)) }
	d, err := cas.PutBlob(ctx, s, content(i))
	if err != nil {
		return err
	}
	action := digest.Of(fmt.Append(nil, w, i))
	if err := s.SetResult(ctx, action, &repb.ActionResult{StdoutDigest: d.Proto()}); err != nil {
		return err
	}
	if _, err := complete.New(s, s).Result(ctx, action); err != nil {
		return err
	}
	if got, err := cas.ReadBlob(ctx, s, d, mib); err != nil || !bytes.Equal(got, content(i)) {
		return fmt.Errorf("a result is there, its output reads as %d bytes: %w", len(got), err)
	}
	old := content(i / 2)
	if got, err := cas.ReadBlob(ctx, s, digest.Of(old), mib); err == nil && !bytes.Equal(got, old) || err != nil && !errors.Is(err, cas.ErrNotFound) {
		return fmt.Errorf("an old blob reads as %d bytes: %w", len(got), err)
	}
	return readAround(ctx, s, content, i)
}

// readAround reads many blobs at once, of which some are there.
func readAround(ctx context.Context, s *badgerstore.Store, content func(int) []byte, i int) error {
	var want [][]byte
	var ds []digest.Digest
	for j := max(0, i-20); j < i; j++ {
		want, ds = append(want, content(j)), append(ds, digest.Of(content(j)))
	}
	got, errs := cas.ReadBlobs(ctx, s, ds)
	for j, err := range errs {
		if err == nil && !bytes.Equal(got[j], want[j]) || err != nil && !errors.Is(err, cas.ErrNotFound) {
			return fmt.Errorf("a blob reads as %d bytes in a batch: %w", len(got[j]), err)
		}
	}
	return nil
}

func TestStat(t *testing.T) {
	r := newRig(t)
	r.setResult(1)
	st, err := r.Stat(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.Blobs != 5 || st.Results != 1 || st.Bytes < mib || st.Bytes > mib+10000 || st.Packs != 2 || st.Disk < mib || st.Free == 0 {
		t.Errorf("Stat = %+v", st)
	}
	if !st.Oldest.Equal(r.time) {
		t.Errorf("oldest use is %v, want %v", st.Oldest, r.time)
	}
}

// later is a clock by which all that has been used is old.
func later() time.Time { return time.Now().Add(time.Hour) }
