package interp

import (
	"maps"
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// kernelModels are functions of the kernel. Where one may return anything it
// returns 0 here; locks are free, and reference counts are not followed.
func kernelModels() map[string]*modelled {
	out := map[string]*modelled{
		"rust_helper_IS_ERR": {1, word, isErr}, "rust_helper_PTR_ERR": {1, word, address}, "rust_helper_ERR_PTR": {1, word, address},
		"_copy_from_user": {3, word, copyFromUser}, "rust_helper_copy_from_user": {3, word, copyFromUser}, "rust_helper__copy_from_user": {3, word, copyFromUser},
		"rust_helper___set_bit": {2, nought, bitHelper(true)}, "rust_helper_set_bit": {2, nought, bitHelper(true)},
		"rust_helper___clear_bit": {2, nought, bitHelper(false)}, "rust_helper_clear_bit": {2, nought, bitHelper(false)},
		"bitmap_zalloc": {2, word, bitmapZalloc}, "bitmap_free": {1, nought, free}, "dma_alloc_attrs": {3, word, dmaAlloc},
		"_copy_to_user": {3, word, copyToUser}, "rust_helper_copy_to_user": {3, word, copyToUser}, "rust_helper__copy_to_user": {3, word, copyToUser},
	}
	for _, name := range []string{
		"rust_helper_spin_lock", "rust_helper_spin_unlock", "rust_helper_spin_trylock", "rust_helper_spin_assert_is_held", "rust_helper___spin_lock_init",
		"mutex_lock", "mutex_unlock", "mutex_trylock", "rust_helper_mutex_lock", "rust_helper_mutex_trylock",
		"rust_helper_mutex_assert_is_held", "rust_helper___mutex_init", "__mutex_init", "rust_helper_mutex_destroy",
		"rust_helper_refcount_inc", "rust_helper_refcount_dec", "rust_helper_refcount_set", "rust_helper_refcount_dec_and_test", "rust_helper_REFCOUNT_INIT",
		"rust_helper_cpu_relax", "rust_helper_might_resched", "rust_helper_might_sleep", "rust_helper_fsleep", "rust_helper_udelay", "synchronize_rcu",
		"rust_helper_signal_pending",
		"ktime_get", "rust_helper_ktime_get_real", "rust_helper_ktime_get_boottime", "rust_helper_ktime_get_clocktai",
		"_printk", "_dev_printk", "seq_printf",
	} {
		out[name] = &modelled{0, whatever, returnsZero(name)}
	}
	maps.Copy(out, atomicHelpers())
	return out
}

// returnsZero changes nothing and returns 0, which the outcome tells, unless it was asked to return something else.
func returnsZero(symbol string) model {
	return func(m *machine, in *inst, _ []argument) *Outcome {
		if in.dst < 0 || in.n == 0 {
			return nil
		}
		if slices.Contains(m.limits.Other, symbol) {
			return m.other(symbol, in)
		}
		if len(m.zero) < maxZero && !slices.Contains(m.zero, symbol) {
			m.zero = append(m.zero, symbol)
		}
		for i := range in.n {
			m.regs[in.dst+i] = slot{}
		}
		return nil
	}
}

// other returns something else than 0 for a C function.
func (m *machine) other(symbol string, in *inst) *Outcome {
	if in.x.ir.Type.Kind == ir.Ptr {
		return m.something(symbol, in)
	}
	return m.set(in, 1)
}

// maxZero bounds the functions that an outcome names.
const maxZero = 8

func isErr(m *machine, in *inst, a []argument) *Outcome {
	p := m.get(a[0].at)
	if p.u != 0 {
		return m.spoil(in.dst, 1)
	}
	return m.set(in, bit(p.v >= ^uint64(4094)))
}

// address hands on an address as a number, or a number as an address.
func address(m *machine, in *inst, a []argument) *Outcome {
	p := *m.get(a[0].at)
	p.p = 0
	m.regs[in.dst] = p
	return nil
}

// notCopied asks how many bytes are not copied.
func (m *machine) notCopied(a argument) (left uint64, n int64, end *Outcome) {
	v, end := m.dynamic("any", 64, 64)
	if end != nil {
		return 0, 0, end
	}
	if n, end = m.span(a); end != nil {
		return 0, 0, end
	}
	if v.Uint64() > m.get(a.at).v {
		return 0, 0, m.end(AssumeFailed, "")
	}
	return v.Uint64(), n, nil
}

func copyFromUser(m *machine, in *inst, a []argument) *Outcome {
	left, _, end := m.notCopied(a[2])
	if end != nil {
		return end
	}
	if end := anyBytes(m, in, []argument{a[0], a[2]}); end != nil {
		return end
	}
	return m.set(in, left)
}

func copyToUser(m *machine, in *inst, a []argument) *Outcome {
	left, n, end := m.notCopied(a[2])
	if end != nil {
		return end
	}
	if n > 0 {
		if _, _, end := m.access(*m.get(a[1].at), n, 1, reading); end != nil {
			return end
		}
	}
	return m.set(in, left)
}

// atomicHelpers are the kernel's functions on atomic_t and its kin.
func atomicHelpers() map[string]*modelled {
	out := map[string]*modelled{}
	for prefix, t := range map[string]*ir.Type{"_": ir.I32, "64_": ir.I64, "_i8_": ir.I8, "_i16_": ir.I16, "_ptr_": ir.PtrType} {
		for _, order := range []string{"", "_acquire", "_release", "_relaxed"} {
			add := func(op string, args int, ret result, do model) {
				out["rust_helper_atomic"+prefix+op+order] = &modelled{args, ret, do}
			}
			h := helper{t}
			add("read", 1, word, h.read)
			add("set", 2, whatever, h.replace)
			add("xchg", 2, word, h.replace)
			add("try_cmpxchg", 3, word, h.tryCmpXchg)
			if prefix != "_" && prefix != "64_" {
				continue
			}
			for op, f := range map[string]func(old, v uint64) uint64{
				"add": func(old, v uint64) uint64 { return old + v }, "sub": func(old, v uint64) uint64 { return old - v },
				"and": func(old, v uint64) uint64 { return old & v }, "or": func(old, v uint64) uint64 { return old | v },
				"xor": func(old, v uint64) uint64 { return old ^ v }, "andnot": func(old, v uint64) uint64 { return old &^ v },
				"inc": func(old, _ uint64) uint64 { return old + 1 }, "dec": func(old, _ uint64) uint64 { return old - 1 },
			} {
				args := 2
				if op == "inc" || op == "dec" {
					args = 1
				}
				add(op, args, whatever, h.change(args-1, f, false))
				add("fetch_"+op, args, word, h.change(args-1, f, false))
				add(op+"_return", args, word, h.change(args-1, f, true))
			}
		}
	}
	return out
}

// helper is a family of atomic helpers: those on one type.
type helper struct{ t *ir.Type }

func (h helper) bytes() int64 { return int64(widthOf(h.t)) / 8 }

func (h helper) isPtr() bool { return h.t.Kind == ir.Ptr }

// at finds what an argument points to.
func (h helper) at(m *machine, a argument, why purpose) (*object, int, *Outcome) {
	return m.access(*m.get(a.at), h.bytes(), h.bytes(), why)
}

func (h helper) read(m *machine, in *inst, a []argument) *Outcome {
	o, off, end := h.at(m, a[0], reading)
	if end != nil {
		return end
	}
	m.regs[in.dst] = o.load(off, widthOf(h.t), h.isPtr())
	return nil
}

// replace is set and xchg: (address, value).
func (h helper) replace(m *machine, in *inst, a []argument) *Outcome {
	why := writing
	if in.dst >= 0 {
		why = reading
	}
	o, off, end := h.at(m, a[0], why)
	if end != nil {
		return end
	}
	old, v := o.load(off, widthOf(h.t), h.isPtr()), *m.get(a[1].at)
	if o, off, end = h.at(m, a[0], writing); end != nil {
		return end
	}
	o.store(off, v, widthOf(h.t), h.isPtr())
	if in.dst >= 0 {
		m.regs[in.dst] = old
	}
	return nil
}

// change replaces the number at argument at, of which argument 0 is the operand if that is another one.
func (h helper) change(at int, f func(old, v uint64) uint64, fresh bool) model {
	return func(m *machine, in *inst, a []argument) *Outcome {
		o, off, end := h.at(m, a[at], reading)
		if end != nil {
			return end
		}
		old, v := o.load(off, widthOf(h.t), false), *m.get(a[0].at)
		next := slot{v: f(old.v, v.v) & maskOf(widthOf(h.t))}
		if old.u != 0 || at == 1 && v.u != 0 {
			next.u = poison
		}
		if o, off, end = h.at(m, a[at], writing); end != nil {
			return end
		}
		o.store(off, next, widthOf(h.t), false)
		switch {
		case in.dst < 0:
		case fresh:
			m.regs[in.dst] = next
		default:
			m.regs[in.dst] = old
		}
		return nil
	}
}

// tryCmpXchg is (address, address of what is expected, value).
func (h helper) tryCmpXchg(m *machine, in *inst, a []argument) *Outcome {
	o, off, end := h.at(m, a[0], reading)
	if end != nil {
		return end
	}
	old := o.load(off, widthOf(h.t), h.isPtr())
	if o, off, end = h.at(m, a[1], reading); end != nil {
		return end
	}
	want := o.load(off, widthOf(h.t), h.isPtr())
	if old.u|want.u != 0 {
		return m.ub(UBUninit, "comparison with an undefined value")
	}
	to, v, same := a[1], old, old.v == want.v
	if same {
		to, v = a[0], *m.get(a[2].at)
	}
	if o, off, end = h.at(m, to, writing); end != nil {
		return end
	}
	o.store(off, v, widthOf(h.t), h.isPtr())
	return m.set(in, bit(same))
}
