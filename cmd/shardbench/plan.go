package main

import (
	"container/heap"
	"slices"
)

// makespan is when the last of so many workers is done that each take the
// longest task that is left whenever they are free.
func makespan(costs []int64, workers int) int64 {
	tasks := slices.Clone(costs)
	slices.Sort(tasks)
	free := make(times, min(workers, max(len(tasks), 1)))
	for i := len(tasks) - 1; i >= 0; i-- {
		free[0] += tasks[i]
		heap.Fix(&free, 0)
	}
	return slices.Max(free)
}

// best is into how many shards so many roots are best divided for so many workers,
// of the divisions that were tried, and how long that takes.
func best(divisions [][]int64, roots, workers int) (shards int, units int64) {
	for _, costs := range divisions {
		if took := makespan(repeat(costs, roots*len(costs)), workers); shards == 0 || took < units {
			shards, units = len(costs), took
		}
	}
	return shards, units
}

// times are when workers are free, the first in front.
type times []int64

func (t times) Len() int           { return len(t) }
func (t times) Less(i, j int) bool { return t[i] < t[j] }
func (t times) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *times) Push(v any)        { *t = append(*t, v.(int64)) }
func (t *times) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

// spread takes at most n of a list, evenly.
func spread(list []string, n int) []string {
	if n >= len(list) {
		return list
	}
	var out []string
	for i := range n {
		out = append(out, list[i*len(list)/n])
	}
	return out
}

// repeat goes through a list again and again until there are n.
func repeat(list []int64, n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = list[i%len(list)]
	}
	return out
}

func sum(list []int64) (total int64) {
	for _, n := range list {
		total += n
	}
	return total
}

func largest(list []int64) int64  { return slices.Max(list) }
func smallest(list []int64) int64 { return slices.Min(list) }
