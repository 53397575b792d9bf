package farm_test

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/frontend/farm"
	"github.com/kvfarm/kvfarm/kbuild"
)

// BenchmarkCached is the second submit of a tree: 300 actions with 1,000
// inputs each, all of them known. One operation is all 300.
func BenchmarkCached(b *testing.B) {
	r := start(b)
	files := tree.Files{}
	content := texts{}
	for i := range 1000 {
		text := fmt.Appendf(nil, "file %d", i)
		d := digest.Of(text)
		content[d] = text
		files[fmt.Sprintf("include/dir%d/deep/file%d.h", i%50, i)] = tree.Entry{Digest: d}
	}
	submit := func(c *farm.Client) {
		var g errgroup.Group
		g.SetLimit(8)
		for i := range 300 {
			g.Go(func() error {
				_, err := c.Run(b.Context(), &kbuild.Action{Argv: []string{"usage"}, Env: map[string]string{"I": fmt.Sprint(i)}, Inputs: files, Content: content})
				return err
			})
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	submit(r.dial())
	b.ResetTimer()
	for b.Loop() {
		submit(r.dial())
	}
	b.StopTimer()
	if r.ran.Load() != 300 {
		b.Errorf("%d runs", r.ran.Load())
	}
}
