package interp

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/contract"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// contracted does one of the things that a contract allows: what returns a value
// of which nothing more is known returns 0, what may change memory leaves it as
// it is, what may call back does not. Nil if the function has no contract.
func contracted(symbol string) *modelled {
	k, ok := contract.Of(symbol)
	if !ok || k.Effect == contract.Model {
		return nil
	}
	args := 0
	if k.Effect == contract.Fills || k.Effect == contract.Gives {
		args = k.Buffer + 1
		if k.SizeIn {
			args = max(args, k.Size+1)
		}
	}
	if k.Result == contract.Arg {
		args = max(args, k.N+1)
	}
	return &modelled{args, whatever, func(m *machine, in *inst, a []argument) *Outcome { return m.keepTo(k, in, a) }}
}

// keepTo executes a call of a function with contract k.
func (m *machine) keepTo(k contract.Contract, in *inst, a []argument) *Outcome {
	if end := m.contractResult(k, in, a); end != nil {
		return end
	}
	if k.Effect != contract.Fills && k.Effect != contract.Gives {
		return nil
	}
	n := int64(k.Size)
	if k.SizeIn {
		var end *Outcome
		if n, end = m.span(a[k.Size]); end != nil {
			return end
		}
	}
	p := *m.get(a[k.Buffer].at)
	if n == 0 || k.Effect == contract.Fills && p.u == 0 && p.v == 0 {
		return nil
	}
	if k.Effect == contract.Gives {
		return m.inputs(p, n)
	}
	o, off, end := m.access(p, n, 1, writing)
	if end == nil {
		o.set(off, int(n), 0, false)
	}
	return end
}

func (m *machine) contractResult(k contract.Contract, in *inst, a []argument) *Outcome {
	t := in.x.ir.Type
	switch {
	case t.Kind == ir.Void || in.dst < 0:
	case k.Result == contract.Arg && t.Equal(in.x.ir.CallSig.Params[k.N].Type):
		m.regs[in.dst] = *m.get(a[k.N].at)
	case k.Result == contract.Input && t.Kind == ir.Int:
		w := widthOf(t)
		return m.anyOf(in, int(w))
	case k.Result == contract.Some && t.Kind == ir.Int:
		return m.set(in, 1)
	case k.Result == contract.Some && t.Kind == ir.Ptr:
		return m.something(k.Symbol, in)
	case k.Result == contract.Errno && slices.Contains(m.limits.Other, k.Symbol):
		return m.set(in, noMemory&(^uint64(0)>>(64-min(64, widthOf(t)))))
	case k.Result == contract.AtMost && m.get(a[k.N].at).v == 0:
		return m.set(in, 0)
	default:
		return returnsZero(k.Symbol)(m, in, a)
	}
	return nil
}

// noMemory is -ENOMEM.
const noMemory = ^uint64(12) + 1

// something returns the address of memory of C's, in which nobody can look. What is
// asked for without arguments is always the same.
func (m *machine) something(symbol string, in *inst) *Outcome {
	p, known := m.things[symbol]
	if !known || len(in.x.ir.Args) > 1 {
		var ok bool
		if p, ok = m.mem.alloc(0, pageAlign, external); !ok {
			return m.end(OutOfSteps, "memory")
		}
		m.mem.objects[p.index()].name = symbol
		m.things[symbol] = p
	}
	m.regs[in.dst] = slot{v: m.mem.lookup(p).base, p: p}
	return nil
}

// bitHelper is set_bit or clear_bit (number, words).
func bitHelper(set bool) model {
	return func(m *machine, _ *inst, a []argument) *Outcome {
		nr, p := m.get(a[0].at), *m.get(a[1].at)
		if nr.u != 0 {
			return m.ub(UBUninit, "number of a bit is undefined")
		}
		p.v += nr.v / 64 * 8
		if _, _, end := m.access(p, 8, 8, writing); end != nil {
			return end
		}
		o, off, end := m.access(p, 8, 8, reading)
		if end != nil {
			return end
		}
		v := o.read(off, 8)
		v.v |= 1 << (nr.v % 64)
		if !set {
			v.v &^= 1 << (nr.v % 64)
		}
		o.write(off, 8, v)
		return nil
	}
}

// bitmapZalloc is bitmap_zalloc(bits, flags): null, or zeroed words for so many bits.
func bitmapZalloc(m *machine, in *inst, a []argument) *Outcome {
	bits, end := m.length(a[0])
	if end == nil {
		_, end = m.fresh(in, (bits+63)/64*8, minAlign, true)
	}
	return end
}

// pageAlign is how memory is aligned that comes in pages.
const pageAlign = 4096

// dmaAlloc is dma_alloc_attrs(dev, size, address, flags, attributes): null, or
// memory, to which this device writes nothing.
func dmaAlloc(m *machine, in *inst, a []argument) *Outcome {
	size, end := m.length(a[1])
	if end != nil {
		return end
	}
	ok, end := m.fresh(in, size, pageAlign, true)
	if end != nil || !ok {
		return end
	}
	o, off, end := m.access(*m.get(a[2].at), 8, 1, writing)
	if end == nil {
		o.set(off, 8, 0, false)
	}
	return end
}
