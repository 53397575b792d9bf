package main

import (
	"slices"
	"testing"
)

func TestMakespan(t *testing.T) {
	for _, tt := range []struct {
		costs   []int64
		workers int
		want    int64
	}{
		{nil, 3, 0},
		{[]int64{5}, 1, 5},
		{[]int64{5, 1, 4}, 1, 10},
		{[]int64{5, 1, 4}, 2, 5},
		{[]int64{5, 1, 4}, 1000, 5},
		{[]int64{3, 3, 2, 2, 2}, 2, 7}, // longest first is not the best there is, which is 6
		{[]int64{7, 1, 1, 1, 1, 1, 1, 1}, 2, 7},
	} {
		before := slices.Clone(tt.costs)
		if got := makespan(tt.costs, tt.workers); got != tt.want || !slices.Equal(tt.costs, before) {
			t.Errorf("%v on %d: %d, want %d", before, tt.workers, got, tt.want)
		}
	}
}

func TestBest(t *testing.T) {
	divisions := [][]int64{{10}, {6, 6}, {3, 4, 4, 4}}
	for _, tt := range []struct {
		roots, workers, shards int
		units                  int64
	}{
		{1, 1, 1, 10},
		{1, 2, 2, 6},
		{1, 4, 4, 4},
		{4, 4, 1, 10},
		{4, 8, 2, 6},
		{4, 1000, 4, 4},
	} {
		if shards, units := best(divisions, tt.roots, tt.workers); shards != tt.shards || units != tt.units {
			t.Errorf("%d roots, %d workers: %d shards in %d, want %d in %d", tt.roots, tt.workers, shards, units, tt.shards, tt.units)
		}
	}
	if shards, units := best(nil, 1, 1); shards != 0 || units != 0 {
		t.Errorf("of nothing: %d, %d", shards, units)
	}
}

func TestSample(t *testing.T) {
	if got := spread([]string{"a", "b", "c", "d", "e"}, 2); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("spread %v", got)
	}
	if got := spread([]string{"a"}, 2); !slices.Equal(got, []string{"a"}) {
		t.Errorf("spread %v", got)
	}
	if got := repeat([]int64{1, 2, 3}, 5); !slices.Equal(got, []int64{1, 2, 3, 1, 2}) || sum(got) != 9 || largest(got) != 3 || smallest(got) != 1 {
		t.Errorf("repeat %v", got)
	}
}
