package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/frontend/report"
)

func TestExplainKind(t *testing.T) {
	var b bytes.Buffer
	if !report.ExplainKind(&b, "slice_index") || !strings.HasPrefix(b.String(), "slice_index: a range is out of bounds") {
		t.Errorf("slice_index is told as %q", b.String())
	}
	if b.Reset(); report.ExplainKind(&b, "slice") || b.Len() > 0 {
		t.Errorf("a kind that is none is told as %q", b.String())
	}
}

// Texts are written by hand, and a block that is not one is easily overlooked.
func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range report.Kinds {
		if k.Short == "" || strings.ContainsAny(k.Name, " \n") || strings.HasSuffix(k.Short, ".") || seen[k.Name] {
			t.Errorf("kind %+v is not one, or is there twice", k)
		}
		seen[k.Name] = true
	}
}
