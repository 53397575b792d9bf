package main

import (
	"strings"
	"testing"
)

func TestNotices(t *testing.T) {
	var b strings.Builder
	log := forPeople(&b)
	log.Info("not worth a line")
	log.Warn("no cgroups")
	log.With("worker", "w1").WithGroup("g").Error("farm lost inputs", "blobs", 3)
	want := "kvfarm: warning: no cgroups\nkvfarm: error: farm lost inputs (worker w1, blobs 3)\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
