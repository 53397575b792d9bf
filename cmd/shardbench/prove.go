package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/engine/verdict"
)

// prover runs the engine.
type prover struct {
	engine, dir   string
	budget, scout int64
}

// proofs are those of one slice.
type proofs struct {
	prover
	slice     string
	runs      atomic.Int64
	divisions [][]int64                   // work of the shards of each that decides the root
	scouts    map[string]*verdict.Verdict // by shard: what it came to with a scout's budget
}

// prove has the engine prove a shard, or all if of is empty, with a budget, the engine's if it is 0.
func (p *proofs) prove(ctx context.Context, of string, budget int64) (*verdict.Verdict, error) {
	out := filepath.Join(p.dir, strconv.FormatInt(p.runs.Add(1), 10)+".json")
	defer os.Remove(out)
	argv := []string{"prove", "--out", out}
	if budget > 0 {
		argv = append(argv, "--budget", strconv.FormatInt(budget, 10))
	}
	if of != "" {
		argv = append(argv, "--shard", of)
	}
	if said, err := exec.CommandContext(ctx, p.engine, append(argv, p.slice)...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("run %s: %w: %s", p.engine, err, said)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("read verdict: %w", err)
	}
	return verdict.Decode(b)
}

// divide finds n shards that cover the root, or fewer if there are not so many.
// What has the fewest decisions behind it is divided first.
func (p *proofs) divide(ctx context.Context, n int) ([]string, error) {
	todo, done := []string{""}, []string(nil)
	for len(todo) > 0 && len(todo)+len(done) < n {
		of := todo[0]
		v, err := p.explore(ctx, of)
		if err != nil {
			return nil, err
		}
		parts, err := verdict.Split(of, v.Frontier, n-len(todo)-len(done)+1)
		if err != nil {
			return nil, err
		}
		todo = todo[1:]
		if len(parts) == 1 {
			done = append(done, of)
		} else {
			todo = append(todo, parts...)
		}
	}
	return append(todo, done...), nil
}

// explore has a scout find out how a shard can be divided.
func (p *proofs) explore(ctx context.Context, of string) (*verdict.Verdict, error) {
	if v := p.scouts[of]; v != nil {
		return v, nil
	}
	v, err := p.prove(ctx, of, p.scout)
	if err == nil {
		p.scouts[of] = v
	}
	return v, err
}

// scouted is the work of all scouts.
func (p *proofs) scouted() (total int64) {
	for _, v := range p.scouts {
		total += v.Stats.Work
	}
	return total
}

// proveAll proves shards, so many at a time.
func (p *proofs) proveAll(ctx context.Context, parts []string, workers int) ([]*verdict.Verdict, error) {
	out := make([]*verdict.Verdict, len(parts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i, of := range parts {
		g.Go(func() (err error) {
			out[i], err = p.prove(ctx, of, p.budget)
			return err
		})
	}
	return out, g.Wait()
}

// join makes one verdict of those of all parts.
func (p *proofs) join(vs []*verdict.Verdict) (*verdict.Verdict, error) {
	if len(vs) == 1 && vs[0].Shard == nil {
		return vs[0], nil
	}
	return verdict.Join(p.scouts[""], vs)
}
