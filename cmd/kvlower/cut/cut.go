// Package cut takes one root and all that it can reach out of a module, as a
// canonical slice: numbered in order of first visit, without what nothing
// reaches, panic locations as tokens, and beside it the map back to the source.
package cut

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// Cutter cuts slices out of one module. Several may be cut at a time.
type Cutter struct {
	m     *module.Module
	arch  string
	bySym map[string]int
	panic []string // panic kind of each function, empty if it is no panic entry

	addresses map[int]bool // functions whose addresses may come to C
	locs      map[int]Loc  // panic locations by global
	sizes     []int        // of functions with a body: what leadsTo found
	roots     []string
	untrimmed bool

	// What all slices share, by function, once one has asked for it.
	around  *ir.Slice // in which they are checked: it has as many functions and globals as the module
	bodies  []atomic.Pointer[body]
	externs []atomic.Pointer[extern]
}

// New prepares m for cutting.
func New(m *module.Module) (*Cutter, error) {
	arch, _, _ := strings.Cut(m.Triple, "-")
	if arch == "" {
		return nil, fmt.Errorf("cut module: it names no target, as in target triple = \"x86_64-unknown-linux-gnu\"")
	}
	if arch != "x86_64" && arch != "aarch64" {
		return nil, fmt.Errorf("cut module: target %q is neither x86_64 nor aarch64", m.Triple)
	}
	n := len(m.Funcs)
	c := &Cutter{m: m, arch: arch, bySym: map[string]int{}, locs: locations(m), addresses: addresses(m), sizes: make([]int, n),
		bodies: make([]atomic.Pointer[body], n), externs: make([]atomic.Pointer[extern], n)}
	c.around = &ir.Slice{Arch: arch, Funcs: make([]*ir.Func, n), Globals: make([]*ir.Global, len(m.Globals))}
	for i, f := range m.Funcs {
		c.bySym[f.Symbol] = i
		c.panic = append(c.panic, panicKind(f))
	}
	for _, sym := range m.Roots {
		if i, ok := c.bySym[sym]; ok && c.isSource(i) {
			c.roots = append(c.roots, sym)
		}
	}
	for i := range m.Funcs {
		if c.isBody(i) {
			c.leadsTo(i)
		}
	}
	return c, nil
}

// Roots lists the symbols of the module that slices start from.
func (c *Cutter) Roots() []string { return slices.Clone(c.roots) }

// KeepInputs has the inputs of slices stay as their types are, so that somebody can compare what is proved with
// and without what Trim leaves out.
func (c *Cutter) KeepInputs() { c.untrimmed = true }

// isSource reports whether function i has a body that somebody wrote, and that
// does not say how to panic.
func (c *Cutter) isSource(i int) bool {
	f := c.m.Funcs[i]
	return c.isBody(i) && f.Symbol != "rust_begin_unwind" && !strings.HasPrefix(f.Name, "__rustc::")
}

// Declared is where the source declares a function: empty and 0 if unknown.
func (c *Cutter) Declared(symbol string) (file string, line int) {
	f := c.m.Funcs[c.bySym[symbol]]
	return f.File, f.Line
}

// Name is the demangled name of a symbol.
func (c *Cutter) Name(symbol string) string { return c.m.Funcs[c.bySym[symbol]].Name }

// isBody reports whether function i has its body in slices. The kernel's helpers
// in C have not: they are modelled. One that a crate of checks defines is a model.
func (c *Cutter) isBody(i int) bool {
	f := c.m.Funcs[i]
	if !f.Defined || c.panic[i] != "" {
		return false
	}
	return !strings.HasPrefix(f.Symbol, "rust_helper_") || slices.ContainsFunc(c.m.Roots, IsCheck) && slices.Contains(c.m.Roots, f.Symbol)
}

// Cut returns the slice of the root with the given symbol and its map. The
// slice passes ir.Sanity.
func (c *Cutter) Cut(symbol string) (*ir.Slice, *position.Map, error) {
	return c.whole(symbol, IsCheck(symbol))
}

// CutCheck is Cut of one of Checks.
func (c *Cutter) CutCheck(symbol string) (*ir.Slice, *position.Map, error) {
	return c.whole(symbol, true)
}

func (c *Cutter) whole(symbol string, check bool) (*ir.Slice, *position.Map, error) {
	s, m, _, err := c.cut(symbol, nil, check)
	return s, m, err
}

// cut cuts out the root called symbol with the bodies of the functions that keep
// says, by module index, nil for all of them; symbols are those of the slice's functions, by their numbers.
func (c *Cutter) cut(symbol string, keep func(int) bool, check bool) (s *ir.Slice, m *position.Map, symbols []string, err error) {
	root, ok := c.bySym[symbol]
	if !ok || !c.isBody(root) {
		return nil, nil, nil, fmt.Errorf("cut %s: no such root", symbol)
	}
	w, whole := newWalk(c), keep == nil
	if !whole {
		w.keep = keep
	}
	w.function(root)
	w.run()
	s = w.slice
	if !check {
		s.Inputs = c.inputs(symbol)
		switch {
		case c.untrimmed:
		case whole && slices.Contains(c.roots, symbol): // an automatic root: its inputs lie apart
			Trim(s)
		default:
			TrimOverlapping(s)
		}
	}
	if err := w.sanity(); err != nil {
		return nil, nil, nil, fmt.Errorf("cut %s: %w", symbol, err)
	}
	return s, w.mapping(), w.symbols(), nil
}

// sanity is ir.Sanity of the slice. Its bodies passed it when they were made: they differ from those in other
// slices in the numbers of what they name only.
func (w *walk) sanity() error {
	errs := []error{ir.SanityOutside(w.slice)}
	for _, i := range w.funcOf {
		errs = append(errs, w.c.body(i).err)
	}
	return errors.Join(errs...)
}

// inputs says how the parameters of a root are made, with all that their types tell.
func (c *Cutter) inputs(symbol string) *ir.RootSpec {
	return inputs(&c.m.Funcs[c.bySym[symbol]].Sig, c.paramTypes(symbol))
}

// renamed is what LLVM's linker makes of a symbol of Rust's that several files define for
// themselves, each of them but one. No symbol of Rust's has a dot of its own.
var renamed = regexp.MustCompile(`^(_R\w+)\.\d+$`)

// paramTypes are the types of the parameters of a function: of each function of that name, for
// a mangled name says which function of the source it is, and of what types. nil if they are not known.
func (c *Cutter) paramTypes(symbol string) []*module.DebugType {
	return c.m.ParamTypes[renamed.ReplaceAllString(symbol, "$1")]
}

// checkName is what a check that C could call is named.
var checkName = regexp.MustCompile(`^check\w*$`)

// Checks lists the written checks of a module that has no other roots: there a
// name that starts with check is enough. Errors: there is none; one takes
// parameters, which nothing could supply.
func (c *Cutter) Checks() ([]string, error) {
	var out []string
	for _, sym := range c.Roots() {
		if !checkName.MatchString(sym) {
			continue
		}
		if len(c.m.Funcs[c.bySym[sym]].Sig.Params) > 0 {
			return nil, fmt.Errorf("%s takes parameters, or returns what does not fit into registers; a check takes none and asks for its inputs, "+
				"as with kvfarm_any_u32: change it, or give it a name that does not start with check", sym)
		}
		out = append(out, sym)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no check in it: a check is a function without parameters, visible to C, whose name starts with check, " +
			"as #[no_mangle] pub extern \"C\" fn check_name() or void check_name(void)")
	}
	return out, nil
}

// IsCheck reports whether the symbol is that of a written check.
func IsCheck(symbol string) bool { return symbol == "check" || strings.HasPrefix(symbol, "check_") }
