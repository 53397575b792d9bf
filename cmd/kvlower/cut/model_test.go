package cut_test

import (
	"os"
	"slices"
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// TestHelpers renames each function that a check could call to one of the
// kernel's helpers: it has a body in the slice only if the check's crate defines it.
func TestHelpers(t *testing.T) {
	const root, helper = "check_total", "rust_helper_refcount_inc"
	calls := 0
	for i := range decode(t).Funcs {
		m := decode(t)
		f := m.Funcs[i]
		if !f.Defined || f.Symbol == root {
			continue
		}
		m.Roots = slices.DeleteFunc(m.Roots, func(s string) bool { return s == f.Symbol })
		f.Symbol, f.Name = helper, helper
		if !hasExtern(cutOf(t, m, root), helper) {
			continue // nothing calls it
		}
		calls++
		m.Roots = append(m.Roots, helper)
		if hasExtern(cutOf(t, m, root), helper) {
			t.Errorf("function %d: the body that the check's crate gives a helper is not taken", i)
		}
	}
	if calls == 0 {
		t.Error("the check calls nothing")
	}
}

func decode(t *testing.T) *module.Module {
	t.Helper()
	b, err := os.ReadFile("../testdata/same/base.kvbc")
	if err != nil {
		t.Fatal(err)
	}
	m, err := module.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func cutOf(t *testing.T, m *module.Module, root string) *ir.Slice {
	t.Helper()
	c, err := cut.New(m)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := mustCut(t, c, root)
	return s
}

func hasExtern(s *ir.Slice, symbol string) bool {
	return slices.ContainsFunc(s.Externs, func(e *ir.Extern) bool { return e.Symbol == symbol })
}
