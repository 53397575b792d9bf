package rev2_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/iotest"

	sdk "github.com/bazelbuild/remote-apis-sdks/go/pkg/client"
	sdkdigest "github.com/bazelbuild/remote-apis-sdks/go/pkg/digest"
	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/remote"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// A store looks the same through server and client.
func TestRemoteStore(t *testing.T) {
	castest.Run(t, func(t *testing.T) cas.Store { return remote.New(start(t).sdk()) })
}

func TestRemoteActionCache(t *testing.T) {
	castest.RunActionCache(t, func(t *testing.T) cas.ActionCache {
		return remote.New(start(t, everybodyUpdates).sdk())
	})
}

// flaky breaks off every second read, and refuses every second put.
type flaky struct {
	cas.Store
	gets, puts atomic.Int32
}

var errFlaky = errors.New("just now it does not work")

func (f *flaky) Get(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error) {
	r, err := f.Store.Get(ctx, d, offset)
	if err == nil && f.gets.Add(1)%2 == 1 {
		half := io.LimitReader(r, (d.Size-offset)/2)
		r = io.NopCloser(io.MultiReader(half, iotest.ErrReader(errFlaky)))
	}
	return r, err
}

func (f *flaky) Put(ctx context.Context, d digest.Digest, r io.Reader) error {
	if f.puts.Add(1)%2 == 1 {
		return errFlaky
	}
	return f.Store.Put(ctx, d, r)
}

// What fails now and then is tried again, from where it broke off.
func TestRemoteStoreTriesAgain(t *testing.T) {
	r := start(t, func(c *rev2.Config) { c.Store = &flaky{Store: c.Store} })
	s := remote.New(r.sdk())
	for i, n := range []int{1000, 3 << 20} {
		b := castest.Bytes(uint64(i), n)
		d := digest.Of(b)
		if err := s.Put(t.Context(), d, bytes.NewReader(b)); err != nil {
			t.Fatalf("put %d bytes: %v", n, err)
		}
		if got, err := cas.ReadBlob(t.Context(), s, d, d.Size); err != nil || !bytes.Equal(got, b) {
			t.Errorf("get %d bytes: %d other ones, %v", n, len(got), err)
		}
	}
}

// liar hands out bytes that are not the blob's.
type liar struct {
	cas.Store
	content []byte
}

func (l liar) Get(context.Context, digest.Digest, int64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.content)), nil
}

func TestRemoteStoreChecksWhatItGets(t *testing.T) {
	for name, content := range map[string]string{"other": "1234", "shorter": "12"} {
		r := start(t, func(c *rev2.Config) { c.Store = liar{c.Store, []byte(content)} })
		got, err := cas.ReadBlob(t.Context(), remote.New(r.sdk()), digest.Of([]byte("abcd")), 100)
		if err == nil {
			t.Errorf("%s: read %q", name, got)
		}
	}
}

// The SDK's own calls, compressed.
func TestSDKCompression(t *testing.T) {
	r := start(t)
	c, err := sdk.NewClientFromConnection(t.Context(), "some/instance", r.conn, r.conn, sdk.CompressedBytestreamThreshold(0))
	if err != nil {
		t.Fatal(err)
	}
	b := bytes.Repeat([]byte("0123456789"), 300_000)
	for range 2 { // the second time it is there
		if _, err := c.WriteBlob(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	d := sdkdigest.NewFromBlob(b)
	if got, _, err := c.ReadBlob(t.Context(), d); err != nil || !bytes.Equal(got, b) {
		t.Errorf("read %d other bytes, %v", len(got), err)
	}
	small := map[sdkdigest.Digest][]byte{}
	for i := range 10 {
		text := bytes.Repeat([]byte{byte(i)}, 1000)
		small[sdkdigest.NewFromBlob(text)] = text
	}
	if err := c.BatchWriteBlobs(t.Context(), small); err != nil {
		t.Fatal(err)
	}
	got, err := c.BatchDownloadBlobs(t.Context(), slices.Collect(maps.Keys(small)))
	if diff := cmp.Diff(small, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
