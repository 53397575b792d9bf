package cut

import (
	"strings"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// addresses finds the functions whose addresses may come to C: those that
// constant data holds, such as tables of operations, and those that are handed
// to C functions. The tables of trait objects are Rust's own affair.
func addresses(m *module.Module) map[int]bool {
	out := map[int]bool{}
	take := func(v *ir.Value) {
		if v.Kind == ir.FuncAddr {
			out[v.Index] = true
		}
	}
	for _, g := range m.Globals {
		if strings.HasPrefix(g.Name, "vtable.") {
			continue
		}
		for i := range g.Relocs {
			take(&g.Relocs[i].Target)
		}
	}
	for _, f := range m.Funcs {
		for _, b := range f.Blocks {
			for _, in := range b.Insts {
				if in.Op != ir.Call || !isC(m, &in.Args[0]) {
					continue
				}
				for i := range in.Args[1:] {
					take(&in.Args[1+i])
				}
			}
		}
	}
	return out
}

// isC reports whether callee is a function of C.
func isC(m *module.Module, callee *ir.Value) bool {
	if callee.Kind != ir.FuncAddr {
		return false
	}
	f := m.Funcs[callee.Index]
	return !f.Defined && !f.Intrinsic && f.Name == f.Symbol
}

// Called says how code outside of Rust may come to call a function.
func (c *Cutter) Called(symbol string) position.Called {
	i := c.bySym[symbol]
	switch f := c.m.Funcs[i]; {
	case strings.HasPrefix(f.Symbol, "__rust__"): // rust/Makefile has core call these, and nobody else, instead of __adddf3 and its like
		return ""
	case f.Name == f.Symbol:
		return position.ByName
	case c.addresses[i]:
		return position.ByAddress
	}
	return ""
}

// Callbacks lists the functions of the last file that may be called by address,
// but for the roots.
func (c *Cutter) Callbacks() []string {
	roots := map[string]bool{}
	for _, symbol := range c.roots {
		roots[symbol] = true
	}
	var out []string
	for i, f := range c.m.Funcs {
		if f.Own && c.isSource(i) && !roots[f.Symbol] && c.Called(f.Symbol) == position.ByAddress {
			out = append(out, f.Symbol)
		}
	}
	return out
}
