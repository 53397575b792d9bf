package castest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// RunActionCache checks an implementation of cas.ActionCache. Every call of
// open returns an empty one. The results used name no blobs, so that the suite
// holds for caches that check completeness, too.
func RunActionCache(t *testing.T, open func(t *testing.T) cas.ActionCache) {
	tests := []struct {
		name string
		run  func(t *testing.T, c cas.ActionCache)
	}{
		{"RoundTrip", resultRoundTrip},
		{"Overwrite", resultOverwrite},
		{"Absent", resultAbsent},
		{"CallerOwnsResult", callerOwnsResult},
		{"Functions", resultFunctions},
		{"Malformed", resultMalformed},
		{"Cancelled", resultCancelled},
		{"Concurrent", resultConcurrent},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

func result(i, size int) *repb.ActionResult {
	return &repb.ActionResult{
		ExitCode:          int32(i),
		StdoutRaw:         Bytes(uint64(i), size),
		OutputSymlinks:    []*repb.OutputSymlink{{Path: "link", Target: fmt.Sprint(i)}},
		ExecutionMetadata: &repb.ExecutedActionMetadata{Worker: "w"},
	}
}

func action(i int) digest.Digest { return digest.Of(fmt.Appendf(nil, "action %d", i)) }

func mustSet(t testing.TB, c cas.ActionCache, d digest.Digest, r *repb.ActionResult) {
	t.Helper()
	if err := c.SetResult(t.Context(), d, r); err != nil {
		t.Fatalf("SetResult(%v) = %v", d, err)
	}
}

func wantResult(t testing.TB, c cas.ActionCache, d digest.Digest, want *repb.ActionResult) {
	t.Helper()
	got, err := c.Result(t.Context(), d)
	if err != nil {
		t.Fatalf("Result(%v) = %v", d, err)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("Result(%v) differs (-want +got):\n%s", d, diff)
	}
}

func resultRoundTrip(t *testing.T, c cas.ActionCache) {
	for i, size := range []int{0, 10, 5000, 1 << 18, 1<<20 + 1} {
		mustSet(t, c, action(i), result(i, size))
		wantResult(t, c, action(i), result(i, size))
	}
	mustSet(t, c, action(9), &repb.ActionResult{})
	wantResult(t, c, action(9), &repb.ActionResult{})
}

func resultOverwrite(t *testing.T, c cas.ActionCache) {
	for i := range 5 {
		mustSet(t, c, action(0), result(i, 100*i))
		wantResult(t, c, action(0), result(i, 100*i))
	}
}

func resultAbsent(t *testing.T, c cas.ActionCache) {
	mustSet(t, c, action(0), result(0, 1))
	other := action(0)
	other.Size++
	for _, d := range []digest.Digest{action(1), other, digest.Empty} {
		if _, err := c.Result(t.Context(), d); !errors.Is(err, cas.ErrNotFound) {
			t.Errorf("Result(%v) = %v, want ErrNotFound", d, err)
		}
	}
}

func callerOwnsResult(t *testing.T, c cas.ActionCache) {
	r := result(1, 10)
	mustSet(t, c, action(1), r)
	r.ExitCode = 99
	got, err := c.Result(t.Context(), action(1))
	if err != nil {
		t.Fatal(err)
	}
	got.StdoutRaw[0]++
	wantResult(t, c, action(1), result(1, 10))
}

func resultMalformed(t *testing.T, c cas.ActionCache) {
	for _, d := range []digest.Digest{{}, {Hash: "../x", Size: 1}} {
		if err := c.SetResult(t.Context(), d, result(1, 1)); err == nil {
			t.Errorf("SetResult(%q) succeeds", d)
		}
		if _, err := c.Result(t.Context(), d); err == nil {
			t.Errorf("Result(%q) succeeds", d)
		}
	}
}

func resultCancelled(t *testing.T, c cas.ActionCache) {
	mustSet(t, c, action(0), result(0, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.SetResult(ctx, action(1), result(1, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("SetResult = %v, want context.Canceled", err)
	}
	if _, err := c.Result(ctx, action(0)); !errors.Is(err, context.Canceled) {
		t.Errorf("Result = %v, want context.Canceled", err)
	}
}

func resultConcurrent(t *testing.T, c cas.ActionCache) {
	var g errgroup.Group
	for w := range 8 {
		g.Go(func() error {
			for i := range 50 {
				if err := c.SetResult(t.Context(), action(i), result(i, 10)); err != nil {
					return err
				}
				got, err := c.Result(t.Context(), action((i*w)%(i+1)))
				if err != nil {
					return err
				}
				if want := result((i*w)%(i+1), 10); !cmp.Equal(want, got, protocmp.Transform()) {
					return fmt.Errorf("result %d reads as %v", (i*w)%(i+1), got)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
