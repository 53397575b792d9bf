package module

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// streamVersion is that of bitcode/stream.h.
const streamVersion = 3

// Decode reads the stream that bitcode.Read returns.
func Decode(stream []byte) (*Module, error) {
	if len(stream) < 4 || string(stream[:4]) != "KVBC" {
		return nil, fmt.Errorf("decode module: no KVBC stream")
	}
	r := &reader{b: stream[4:]}
	if v := r.u(); v != streamVersion {
		return nil, fmt.Errorf("decode module: stream of version %d, not %d", v, streamVersion)
	}
	m := &Module{Triple: string(r.raw())}
	r.readStrings()
	r.readTypes()
	m.Positions = r.positions()
	r.debugTypes()
	for range r.n() {
		m.Globals = append(m.Globals, r.global())
	}
	for range r.n() {
		m.Funcs = append(m.Funcs, r.header())
	}
	for _, f := range m.Funcs {
		if f.Defined {
			r.body(f)
		}
	}
	for range r.n() {
		m.Roots = append(m.Roots, r.str())
	}
	m.ParamTypes = r.shapes()
	if r.err == nil {
		r.err = m.check()
	}
	if r.err != nil {
		return nil, fmt.Errorf("decode module: %w", r.err)
	}
	return m, nil
}

func (r *reader) positions() []Position {
	var out []Position
	for range r.n() {
		p := Position{File: r.str(), Line: r.int(), Col: r.int(), Func: r.str(), Parent: r.int()}
		if p.Parent > len(out) {
			r.fail(fmt.Errorf("position within a later one"))
			return nil
		}
		out = append(out, p)
	}
	return out
}

// global reads what Writer::global writes.
func (r *reader) global() *Global {
	g := &Global{Name: r.str()}
	g.Size, g.Align = r.size(), max(1, r.align())
	flags := r.u()
	g.Const, g.UnnamedAddr = flags&1 != 0, flags&2 != 0
	if flags&4 != 0 {
		g.External, g.Symbol = true, g.Name
		return g
	}
	g.Data = append([]byte(nil), r.raw()...)
	for range r.n() {
		g.Undef = append(g.Undef, ir.Range{Lo: r.size(), Hi: r.size()})
	}
	for range r.n() {
		g.Relocs = append(g.Relocs, ir.Reloc{Offset: r.size(), Target: r.address(ir.PtrType, r.u())})
	}
	return g
}

// header reads what Writer::header writes.
func (r *reader) header() *Func {
	f := &Func{Symbol: r.str(), Name: r.str()}
	r.u() // linkage
	flags := r.u()
	f.Defined, f.Intrinsic = flags&1 != 0, flags&8 != 0
	f.Sig.NoReturn, f.Sig.Variadic = flags&2 != 0, flags&4 != 0
	f.Own = flags&32 != 0
	f.File, f.Line = r.str(), r.int()
	for range r.n() {
		f.Sig.Params = append(f.Sig.Params, r.param())
	}
	for range f.Sig.Params {
		f.ParamNames = append(f.ParamNames, r.str())
	}
	f.Sig.Ret = r.param()
	return f
}

func (r *reader) body(f *Func) {
	for _, p := range f.Sig.Params {
		f.Regs = append(f.Regs, p.Type)
	}
	for range r.n() {
		b := &ir.Block{}
		var at []int
		for range r.n() {
			in, pos := r.instruction()
			if in.Type.Kind != ir.Void && in.Op != ir.Store {
				in.Result = len(f.Regs)
				f.Regs = append(f.Regs, in.Type)
			}
			b.Insts = append(b.Insts, in)
			at = append(at, pos)
		}
		f.Blocks = append(f.Blocks, b)
		f.At = append(f.At, at)
	}
}

// check finds indices that lead nowhere, so that readers of a Module need not.
func (m *Module) check() error {
	for _, g := range m.Globals {
		for i := range g.Relocs {
			if err := m.checkValue(&g.Relocs[i].Target, nil); err != nil {
				return err
			}
		}
	}
	for _, f := range m.Funcs {
		for b, block := range f.Blocks {
			if len(block.Insts) == 0 {
				return fmt.Errorf("%s: empty block", f.Symbol)
			}
			for i, in := range block.Insts {
				if err := m.checkInst(f, in, f.At[b][i]); err != nil {
					return fmt.Errorf("%s: %w", f.Symbol, err)
				}
			}
		}
	}
	return nil
}

func (m *Module) checkInst(f *Func, in *ir.Inst, at int) error {
	if at > len(m.Positions) {
		return fmt.Errorf("no position %d", at)
	}
	for _, t := range in.Targets {
		if t >= len(f.Blocks) {
			return fmt.Errorf("no block %d", t)
		}
	}
	for i := range in.Args {
		if err := m.checkValue(&in.Args[i], f); err != nil {
			return err
		}
	}
	return nil
}

func (m *Module) checkValue(v *ir.Value, f *Func) error {
	n := v.Index + 1
	switch v.Kind {
	case ir.Reg:
		n = 0
		if f != nil {
			n = len(f.Regs)
		}
	case ir.GlobalAddr:
		n = len(m.Globals)
	case ir.FuncAddr:
		n = len(m.Funcs)
	}
	if v.Index >= n {
		return fmt.Errorf("no object %d of kind %d", v.Index, v.Kind)
	}
	for i := range v.Elems {
		if err := m.checkValue(&v.Elems[i], f); err != nil {
			return err
		}
	}
	return nil
}
