package interp

import "math/bits"

// libcModels are functions of C's library that differ from the kernel's.
var libcModels = map[string]*modelled{
	"malloc": {1, word, cAlloc}, "calloc": {2, word, cZeroed}, "realloc": {2, word, cRealloc}, "free": {1, nought, cFree},
	"abort": {0, nought, trap}, "exit": {1, nought, leave}, "_exit": {1, nought, leave}, "_Exit": {1, nought, leave},
	"__assert_fail": {4, nought, assertFail},
}

// libcAlign is what C's allocators guarantee on the targets, in bytes.
const libcAlign = 16

func cAlloc(m *machine, in *inst, a []argument) *Outcome {
	size, end := m.length(a[0])
	if end == nil {
		_, end = m.fresh(in, size, libcAlign, false)
	}
	return end
}

// cZeroed is calloc(n, size). It asks whether it fails before it looks at the
// product, so that every call asks once.
func cZeroed(m *machine, in *inst, a []argument) *Outcome {
	n, size := m.get(a[0].at), m.get(a[1].at)
	if n.u != 0 || size.u != 0 {
		return m.ub(UBUninit, "length is undefined")
	}
	over, total := bits.Mul64(n.v, size.v)
	if over != 0 {
		if _, end := m.dynamic("fail", 1, 1); end != nil {
			return end
		}
		return m.set(in, 0)
	}
	_, end := m.fresh(in, int64(min(total, maxLength)), libcAlign, true)
	return end
}

// cRealloc is realloc(p, size). What it does for no bytes C does not say.
func cRealloc(m *machine, in *inst, a []argument) *Outcome {
	size, end := m.length(a[1])
	if end != nil {
		return end
	}
	if size == 0 {
		return m.unsupported("realloc of no bytes")
	}
	old := *m.get(a[0].at)
	if end := m.freeable(old); end != nil {
		return end
	}
	return m.regrow(in, old, size, libcAlign, false)
}

// cFree is free(p): unlike the kernel's it does not know an address that stands for no bytes.
func cFree(m *machine, in *inst, a []argument) *Outcome {
	if p := m.get(a[0].at); p.u == 0 && p.p == 0 && p.v == zeroSizePtr {
		return m.ub(UBFree, "no object at %#x", p.v)
	}
	return free(m, in, a)
}

func leave(m *machine, _ *inst, _ []argument) *Outcome { return m.end(Returned, "") }

func assertFail(m *machine, _ *inst, _ []argument) *Outcome { return m.end(AssertFailed, "assert") }
