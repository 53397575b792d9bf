package exec

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// Models of the kernel's C functions. Each allows more than the function does:
// what is not known of a result may be anything.

// kernelModels are those without a family of their own.
var kernelModels = map[string]model{
	// Locks are free: nothing else runs. What lies in a lock is not looked at.
	"rust_helper_spin_lock": locking, "rust_helper_spin_unlock": locking, "rust_helper_spin_assert_is_held": locking,
	"mutex_lock": locking, "mutex_unlock": locking, "rust_helper_mutex_lock": locking, "rust_helper_mutex_assert_is_held": locking,
	"rust_helper___spin_lock_init": locking, "rust_helper___mutex_init": locking, "__mutex_init": locking, "rust_helper_mutex_destroy": locking,
	"rust_helper_spin_trylock": anyResult, "mutex_trylock": anyResult, "rust_helper_mutex_trylock": anyResult,

	// Reference counts are not counted: whether one was the last is not known.
	"rust_helper_refcount_inc": counting, "rust_helper_refcount_dec": counting, "rust_helper_refcount_set": counting,
	"rust_helper_refcount_dec_and_test": anyResult, "rust_helper_REFCOUNT_INIT": anyResult,

	"rust_helper_cpu_relax": nothing, "rust_helper_might_resched": nothing, "rust_helper_might_sleep": nothing,
	"rust_helper_fsleep": nothing, "rust_helper_udelay": nothing, "synchronize_rcu": nothing,
	"rust_helper_signal_pending": anyResult,
	"ktime_get":                  aTime, "rust_helper_ktime_get_real": aTime, "rust_helper_ktime_get_boottime": aTime, "rust_helper_ktime_get_clocktai": anyResult,

	"rust_helper___set_bit": changeBit(true), "rust_helper_set_bit": changeBit(true),
	"rust_helper___clear_bit": changeBit(false), "rust_helper_clear_bit": changeBit(false),
	"bitmap_zalloc": bitmapZalloc, "bitmap_free": release, "dma_alloc_attrs": dmaAlloc,

	"rust_helper_IS_ERR": isErr, "rust_helper_PTR_ERR": ptrErr, "rust_helper_ERR_PTR": errPtr,

	"_copy_from_user": copyFromUser, "rust_helper_copy_from_user": copyFromUser, "rust_helper__copy_from_user": copyFromUser,
	"_copy_to_user": copyToUser, "rust_helper_copy_to_user": copyToUser, "rust_helper__copy_to_user": copyToUser,
}

func locking(x *exec, _ *callee) (*value, error) {
	x.note("locks are free, nothing else runs, and what lies in a lock is not looked at")
	return nil, nil
}

func counting(x *exec, _ *callee) (*value, error) {
	x.note("reference counts are not followed, and what lies in one is not looked at")
	return nil, nil
}

// anyResult is a function that changes nothing and returns any value. Which
// values it can return is not known, so nothing is refuted that hangs on them.
func anyResult(x *exec, c *callee) (*value, error) {
	return x.anyBut(c, func(e expr.Expr) (expr.Expr, expr.Expr) { return expr.True, x.b.IsZero(e) })
}

// aTime is a clock of Linux that is never before 0 nor, within the uptime of 30 years that include/linux/time64.h
// reckons with (TIME_UPTIME_SEC_MAX), after KTIME_MAX: the monotonic ones begin at 0, and where the real one is set the value goes through
// timespec64_valid_settod (kernel/time/timekeeping.c). TAI is none: a leap second may take its offset from the real one below 0.
func aTime(x *exec, c *callee) (*value, error) {
	return x.anyBut(c, func(e expr.Expr) (expr.Expr, expr.Expr) { return x.b.Not(x.b.Sign(e)), x.b.IsZero(e) })
}

// someResult is the same, but the result is not 0. A replay takes 1 for a number; the address that it takes is not known.
func someResult(x *exec, c *callee) (*value, error) {
	return x.anyBut(c, func(e expr.Expr) (expr.Expr, expr.Expr) {
		if c.in.Type.Kind == ir.Ptr {
			return x.nonzero(e), expr.True
		}
		return x.nonzero(e), x.b.Eq(e, x.b.Const(1, x.b.Width(e)))
	})
}

// anyBut returns any value of which limit holds. limit says besides what a replay takes for it.
func (x *exec) anyBut(c *callee, limit func(expr.Expr) (sure, likely expr.Expr)) (*value, error) {
	if c.in.Type.Kind == ir.Void {
		return nil, nil
	}
	v, err := x.arbitrary(c.in.Type)
	if err != nil {
		return nil, err
	}
	e := v.e
	if v.ptr != nil {
		e = v.ptr[0].off
	}
	x.foreign[x.b.Support(e)[0]] = "any result of " + c.name
	x.returnedByC(v)
	sure, likely := limit(e)
	x.likely = append(x.likely, likely)
	if err := x.assume(c.s, sure); err != nil {
		return nil, err
	}
	if c.in.CallSig != nil {
		if err := x.trust(c.s, v, &c.in.CallSig.Ret.Attr, c.in.Type); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// formatters are functions like printf, by where their variable arguments begin.
var formatters = map[string]int{"_printk": 1, "seq_printf": 2, "_dev_printk": 3}

// formatting is one of them: %pA calls back into Rust to format a value. That may panic, but changes no memory.
func formatting(first int) model {
	return func(x *exec, c *callee) (*value, error) { return x.formats(c, first) }
}

func (x *exec) formats(c *callee, first int) (*value, error) {
	if r, _ := x.sat(c.s, expr.True); r == smt.Unsat {
		return nil, errOver
	}
	reason := "called back by C: " + c.name
	called := false
	x.reach.back(x.formattersOf(c.s, c.args[min(first, len(c.args)):]), true, func(site *Site) {
		x.elsewhere(site, reason)
		called = true
	})
	if called {
		x.unproved(c.s, reason)
	}
	x.note("formatting for C changes no memory and calls only what formats")
	return anyResult(x, c)
}

// formattersOf says which functions are found from values to format; if that is
// not all known, then which have the type of one.
func (x *exec) formattersOf(s *state, vals []*value) func(int) bool {
	c := x.newClosure(s)
	for _, v := range vals {
		c.value(v)
	}
	c.run()
	if c.vague {
		return func(fi int) bool { return isFormatter(x.slice.Funcs[fi]) }
	}
	found := c.functions()
	return func(fi int) bool { return slices.Contains(found, fi) }
}

// isFormatter reports whether a function has the type of Rust's fmt functions.
func isFormatter(f *ir.Func) bool {
	p := f.Sig.Params
	return len(p) == 2 && p[0].Type.Kind == ir.Ptr && p[1].Type.Kind == ir.Ptr && f.Sig.Ret.Type.Equal(ir.I1)
}

// maxErrno is the kernel's MAX_ERRNO: the last addresses stand for errors.
const maxErrno = 4095

// isErr is IS_ERR. No object lies where the errors are.
func isErr(x *exec, c *callee) (*value, error) {
	x.note("no object lies in the last page of addresses")
	b, p := x.b, c.args[0]
	out := expr.False
	for _, a := range x.asPtr(p) {
		if isNumber(a.obj) {
			out = b.Or(out, b.And(a.guard, b.Ule(b.ConstInt(-maxErrno, 64), a.off)))
		}
	}
	return &value{e: x.resize(out, c.in.Type.Bits), poison: p.poison}, nil
}

func ptrErr(x *exec, c *callee) (*value, error) {
	return &value{e: x.resize(x.asInt(c.args[0]), c.in.Type.Bits), poison: c.args[0].poison}, nil
}

func errPtr(x *exec, c *callee) (*value, error) {
	return &value{ptr: x.intToPtr(x.resize(x.asInt(c.args[0]), 64)), poison: c.args[0].poison}, nil
}

// copyFromUser fills a buffer with any bytes and returns how many were not
// copied, any number. User space may change them between two reads.
func copyFromUser(x *exec, c *callee) (*value, error) {
	left, err := x.notCopied(c)
	if err != nil {
		return nil, err
	}
	_, err = anyBytes(x, &callee{s: c.s, in: c.in, name: c.name, args: []*value{c.args[0], c.args[2]}})
	return left, err
}

// copyToUser reads a buffer and returns how many bytes were not copied, any number.
func copyToUser(x *exec, c *callee) (*value, error) {
	left, err := x.notCopied(c)
	if err != nil {
		return nil, err
	}
	n, most, err := x.length(c.s, c.args[2])
	if err != nil || most == 0 {
		return left, err
	}
	_, err = x.span(c.s, c.args[1], n, 1, false)
	return left, err
}

// notCopied is any number up to the length.
func (x *exec) notCopied(c *callee) (*value, error) {
	left := x.ask(c.s, "any", 64, expr.True)
	if err := x.require(c.s, c.args[2].poison, UninitUse); err != nil {
		return nil, err
	}
	if err := x.assume(c.s, x.b.Ule(left, x.resize(c.args[2].e, 64))); err != nil {
		return nil, err
	}
	return intValue(x.resize(left, c.in.Type.Bits)), nil
}
