package job

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/kbuild"
)

// optimiseKind is the kind of action that says which checks LLVM leaves.
const optimiseKind = "optimise"

// optimised is what LLVM makes of the crates that were asked for, and of those
// that they need: a check may have copies in each. It is claimed once for each
// crate, whoever links it.
type optimised struct {
	claimed map[digest.Digest]bool
	remains []position.Panic
	done    int
}

// claim returns the indices of the crates in bc that nobody has claimed.
func (j *Job) claim(bc *Bitcode) []int {
	j.mu.Lock()
	defer j.mu.Unlock()
	var mine []int
	for i, e := range bc.Link {
		if !j.opt.claimed[e.Digest] {
			j.opt.claimed[e.Digest] = true
			mine = append(mine, i)
		}
	}
	return mine
}

// optimise has the crates of bc optimised whose indices are given. It is no
// part of any proof: without it the report does not say what LLVM removes. So it comes after all
// proofs that are known: a person who has changed one function waits for those of it.
func (j *Job) optimise(ctx context.Context, bc *Bitcode, crates []int) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, i := range crates {
		g.Go(func() error {
			panics, err := j.remains(ctx, bc, i)
			if err != nil {
				return j.gather(ctx, optimiseKind+" "+bc.Names[i], err)
			}
			j.mu.Lock()
			defer j.mu.Unlock()
			j.opt.remains = append(j.opt.remains, panics...)
			j.opt.done++
			return nil
		})
	}
	return g.Wait()
}

// remains lists the panic calls that LLVM leaves in a crate, after the passes of
// rustc's -Copt-level=2: those are what np bitcode waits for.
func (j *Job) remains(ctx context.Context, bc *Bitcode, crate int) ([]position.Panic, error) {
	const script = `opt -passes='default<O2>' -o /tmp/optimised.bc crate.bc && ./kvlower --remains --out "$0" /tmp/optimised.bc`
	a := &kbuild.Action{
		Kind: optimiseKind, Name: bc.Names[crate],
		Argv:     []string{"sh", "-c", script, slicesDir},
		Env:      bc.Env,
		Inputs:   tree.Files{"kvlower": j.Lower.Entry, "crate.bc": bc.Link[crate]},
		Outputs:  []string{slicesDir},
		Root:     bc.Root,
		Content:  kbuild.Either(j.Lower.Content, bc.Content),
		Priority: lastPriority + 1 + priority(time.Duration(bc.Link[crate].Digest.Size)*time.Millisecond), // the largest first
	}
	r, err := j.runner.Run(ctx, a)
	if err != nil {
		return nil, err
	}
	if r.ExitCode != 0 {
		return nil, fmt.Errorf("exit %d: %s", r.ExitCode, lastLines(r.Stderr))
	}
	index, _, err := j.index(ctx, r)
	if err != nil {
		return nil, err
	}
	return index.Panics, nil
}
