package job

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/kbuild"
)

// A root whose budget does not suffice is divided into shards: actions of the
// same slice, engine and budget, each of which follows a part of it. One that runs out is
// divided again, as long as no more than Spec.Shards come of a root. How many a
// shard may be divided into depends on the shards above it alone and not on who was first, so
// that the same actions come of the same root each time: from the cache, or after a stop.

// shards is into how many parts c's proof may be divided, a root of u. Those
// that are there in great number to help others are not.
func (j *Job) shards(u unit, c cut) int {
	if c.way != whole || c.root.Kind == position.Inner || u.crate != nil && path.IsAbs(u.crate.Source) {
		return 1
	}
	return max(1, j.Shards)
}

// shared is the work at one root that all its shards add to.
type shared struct {
	*Job
	unit unit
	cut  cut
	rank int32 // priority of their actions

	mu     sync.Mutex
	all    []*verdict.Verdict
	leaves int
	cached bool // all were
}

// divide has a root proved in shards if its own proof, action a with result r,
// said v for want of budget. It returns what all come to, how many decided it, and whether all are from the cache.
func (j *Job) divide(ctx context.Context, u unit, c cut, a *kbuild.Action, r *kbuild.Result, v *verdict.Verdict) (*verdict.Verdict, int, bool, error) {
	n := j.shards(u, c)
	if n < 2 || len(v.Frontier) == 0 {
		return v, 0, r.Cached, nil
	}
	s := &shared{Job: j, unit: u, cut: c, rank: priority(cmp.Or(r.CPU, r.Wall)), cached: r.Cached}
	if err := s.below(ctx, "", v.Frontier, n, a.Name); err != nil {
		return nil, 0, false, err
	}
	joined, err := verdict.Join(v, s.all)
	if err != nil {
		return nil, 0, false, fmt.Errorf("prove in shards: %w", err)
	}
	return joined, s.leaves, s.cached, nil
}

// below proves the shards that of is divided into, at most n. name is what people see of it.
func (s *shared) below(ctx context.Context, of string, frontier []string, n int, name string) error {
	parts, err := verdict.Split(of, frontier, n)
	if err != nil {
		return fmt.Errorf("prove in shards: %w", err)
	}
	if len(parts) < 2 {
		s.leaf()
		return nil
	}
	s.plan.more(len(parts))
	g, ctx := errgroup.WithContext(ctx)
	for i, part := range parts {
		most := n / len(parts)
		if i < n%len(parts) {
			most++
		}
		g.Go(func() error {
			return s.prove(ctx, part, most, fmt.Sprintf("%s, shard %d of %d", name, i+1, len(parts)))
		})
	}
	return g.Wait()
}

// prove proves one shard, in at most n parts if it must be.
func (s *shared) prove(ctx context.Context, of string, n int, name string) error {
	a := ProveAction(s.Engine, s.cut.slice, []string{"--shard", of}, s.budget(s.unit, s.cut), name)
	a.Priority = s.rank
	r, err := s.runner.Run(ctx, a)
	if err != nil {
		return err
	}
	v, err := s.verdict(ctx, r)
	if err != nil {
		return err
	}
	if v.Shard == nil || v.Shard.Of != of {
		return fmt.Errorf("prove: action %v: its verdict is not of shard %q", r.Action, of)
	}
	s.add(v, r.Cached)
	return s.below(ctx, of, v.Frontier, n, name)
}

// add notes what a shard came to.
func (s *shared) add(v *verdict.Verdict, cached bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all, s.cached = append(s.all, v), s.cached && cached
}

// leaf notes that a shard was not divided any further.
func (s *shared) leaf() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaves++
}
