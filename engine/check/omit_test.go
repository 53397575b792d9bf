package check_test

import (
	"slices"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// omit leaves the functions called names out of s.
func omit(t *testing.T, s *ir.Slice, names ...string) *ir.Slice {
	t.Helper()
	out := &ir.Slice{Arch: s.Arch, Externs: slices.Clone(s.Externs), Inputs: s.Inputs}
	to := make([]ir.Value, len(s.Funcs))
	for i, f := range s.Funcs {
		if slices.Contains(names, f.Name) {
			to[i] = ir.Value{Kind: ir.ExternAddr, Index: len(out.Externs)}
			out.Externs = append(out.Externs, &ir.Extern{Omitted: true, Sig: f.Sig})
		} else {
			to[i] = ir.Value{Kind: ir.FuncAddr, Index: len(out.Funcs)}
			out.Funcs = append(out.Funcs, f)
		}
	}
	moved := func(v ir.Value) ir.Value { return move(v, to) }
	for _, g := range s.Globals {
		h := *g
		h.Relocs = slices.Clone(g.Relocs)
		for i := range h.Relocs {
			h.Relocs[i].Target = moved(h.Relocs[i].Target)
		}
		out.Globals = append(out.Globals, &h)
	}
	for i, f := range out.Funcs {
		g := *f
		g.Blocks = nil
		for _, b := range f.Blocks {
			c := &ir.Block{}
			for _, in := range b.Insts {
				k := *in
				k.Args = nil
				for _, a := range in.Args {
					k.Args = append(k.Args, moved(a))
				}
				c.Insts = append(c.Insts, &k)
			}
			g.Blocks = append(g.Blocks, c)
		}
		out.Funcs[i] = &g
	}
	if err := ir.Sanity(out); err != nil {
		t.Fatal(err)
	}
	return out
}

// move gives a function in v the number that it has now.
func move(v ir.Value, to []ir.Value) ir.Value {
	if v.Kind == ir.FuncAddr {
		v.Kind, v.Index = to[v.Index].Kind, to[v.Index].Index
	}
	v.Elems = slices.Clone(v.Elems)
	for i := range v.Elems {
		v.Elems[i] = move(v.Elems[i], to)
	}
	return v
}

// heldWords are what is said of panics with a location.
func heldWords(v *verdict.Verdict, holder int) map[int]verdict.Word {
	out := map[int]verdict.Word{}
	for _, s := range v.Sites {
		if s.Loc >= 0 && s.Func == holder {
			out[s.Loc] = s.Verdict
		}
	}
	return out
}

// sameWithout proves a root alone again without the functions that are not followed.
// What is said of the holder's panics may not differ.
func sameWithout(t *testing.T, s *ir.Slice, cfg exec.Config, whole *verdict.Verdict, names ...string) bool {
	t.Helper()
	v, err := check.Prove(omit(t, s, names...), cfg)
	if err != nil {
		t.Fatal(err)
	}
	holder := 0
	if len(cfg.Of) > 0 {
		holder = cfg.Of[0]
	}
	is, want := heldWords(v, holder), heldWords(whole, holder)
	for loc, w := range want {
		if is[loc] != w {
			t.Errorf("location %d: %s, and %s without %q", loc, w, is[loc], names)
			return false
		}
	}
	return true
}

// What is proved of a root alone hangs on nothing that a slice may leave out.
func TestAloneWithoutBodies(t *testing.T) {
	t.Parallel()
	for name, out := range map[string]string{"alone_guard": "endless", "alone_memory": "long", "alone_result": "long", "alone_called": "endless"} {
		p := readProgram(t, "../testdata/unknown/"+name+".kvs")
		v, err := check.Prove(p.slice, p.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if len(heldWords(v, 0))+len(heldWords(v, 1)) == 0 {
			t.Errorf("%s: no site in it", name)
		}
		if !sameWithout(t, p.slice, p.cfg, v, out) {
			t.Error(name)
		}
	}
}
