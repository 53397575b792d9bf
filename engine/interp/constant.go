package interp

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/kvfarm/kvfarm/engine/contract"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// layout gives every global an address and its initial bytes.
func (p *Program) layout() error {
	p.end = dataBase
	for _, g := range p.slice.Globals {
		a := uint64(max(g.Align, 1))
		base := (p.end + a - 1) / a * a
		p.end = base + uint64(g.Size) + guard
		p.globals = append(p.globals, object{base: base, size: uint64(g.Size), gen: 1, live: true})
	}
	for i, g := range p.slice.Globals {
		if err := p.content(&p.globals[i], g); err != nil {
			return fmt.Errorf("global %d: %w", i, err)
		}
	}
	return nil
}

func (p *Program) content(o *object, g *ir.Global) error {
	switch {
	case g.Loc > 0:
		o.kind = token
		return nil
	case g.External && contract.Restless(g.Symbol):
		o.data = make([]byte, g.Size)
		return nil
	case g.External:
		o.kind, o.name = external, g.Symbol
		return nil
	case g.Const:
		o.kind = constant
	}
	o.data = slices.Clone(g.Data)
	for _, r := range g.Undef {
		if r.Lo < 0 || r.Hi > g.Size || r.Lo > r.Hi {
			return fmt.Errorf("undef range [%d, %d) of %d bytes", r.Lo, r.Hi, g.Size)
		}
		if o.undef == nil {
			o.undef = make([]byte, g.Size)
		}
		fill(o.undef[r.Lo:r.Hi], 1)
	}
	for _, r := range sortedRelocs(g.Relocs) {
		if r.Offset < 0 || r.Offset > g.Size-8 {
			return fmt.Errorf("pointer at %d of %d bytes", r.Offset, g.Size)
		}
		vs, err := p.constant(r.Target)
		if err != nil {
			return err
		}
		if len(vs) != 1 {
			return fmt.Errorf("pointer at %d is of %d words", r.Offset, len(vs))
		}
		o.write(int(r.Offset), 8, vs[0])
		o.setProv(int(r.Offset), vs[0].p)
	}
	return nil
}

func sortedRelocs(rs []ir.Reloc) []ir.Reloc {
	rs = slices.Clone(rs)
	slices.SortFunc(rs, func(a, b ir.Reloc) int { return int(a.Offset - b.Offset) })
	return rs
}

// constant returns the slots of an operand that is no register.
func (p *Program) constant(v ir.Value) ([]slot, error) {
	switch v.Kind {
	case ir.GlobalAddr:
		if v.Index < 0 || v.Index >= len(p.globals) {
			return nil, fmt.Errorf("no global %d", v.Index)
		}
		return []slot{{v: p.globals[v.Index].base + uint64(v.Off), p: prov(1<<32 | uint64(v.Index))}}, nil
	case ir.FuncAddr:
		return p.codeAddress(v.Index, len(p.slice.Funcs), 0)
	case ir.ExternAddr:
		return p.codeAddress(v.Index, len(p.slice.Externs), len(p.slice.Funcs))
	case ir.Null:
		return []slot{{}}, nil
	case ir.ConstInt:
		return fromBig(v.Big, v.Type)
	case ir.AddrInt:
		return p.addressInt(v)
	case ir.Aggregate:
		var out []slot
		for _, e := range v.Elems {
			vs, err := p.constant(e)
			if err != nil {
				return nil, err
			}
			out = append(out, vs...)
		}
		return out, nil
	case ir.Zero:
		return filled(v.Type, slot{})
	case ir.Poison, ir.Undef:
		return filled(v.Type, slot{u: poison})
	}
	return nil, fmt.Errorf("operand of kind %d is no constant", v.Kind)
}

func (p *Program) codeAddress(i, n, first int) ([]slot, error) {
	if i < 0 || i >= n {
		return nil, fmt.Errorf("no function %d", i)
	}
	return []slot{{v: codeBase + uint64(first+i)*codeStride}}, nil
}

func (p *Program) addressInt(v ir.Value) ([]slot, error) {
	if len(v.Elems) != 1 || v.Type == nil {
		return nil, fmt.Errorf("address as integer with %d operands", len(v.Elems))
	}
	vs, err := p.constant(v.Elems[0])
	if err != nil {
		return nil, err
	}
	return fromBig(new(big.Int).SetUint64(vs[0].v), v.Type)
}

func filled(t *ir.Type, with slot) ([]slot, error) {
	n, err := slots(t)
	if err != nil {
		return nil, err
	}
	out := make([]slot, n)
	for i := range out {
		out[i] = with
	}
	return out, nil
}

// fromBig makes the slots of an integer; a negative one is taken modulo 2^width.
func fromBig(b *big.Int, t *ir.Type) ([]slot, error) {
	n, err := slots(t)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fmt.Errorf("integer constant without a value")
	}
	width := 64
	if t.Kind == ir.Int {
		width = t.Bits
	}
	out := make([]slot, n)
	put(out, b, int32(width))
	return out, nil
}

// put stores b modulo 2^width in the slots.
func put(vs []slot, b *big.Int, width int32) {
	one := big.NewInt(1)
	b = new(big.Int).And(b, new(big.Int).Sub(new(big.Int).Lsh(one, uint(width)), one))
	word := new(big.Int)
	low := new(big.Int).SetUint64(^uint64(0))
	for i := range vs {
		vs[i] = slot{v: word.And(b, low).Uint64()}
		b.Rsh(b, 64)
	}
}

func toBig(vs []slot) *big.Int {
	b, w := new(big.Int), new(big.Int)
	for i := len(vs) - 1; i >= 0; i-- {
		b.Lsh(b, 64).Or(b, w.SetUint64(vs[i].v))
	}
	return b
}
