package cut

import (
	"regexp"

	"github.com/kvfarm/kvfarm/engine/contract"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// atomicHelper are the kernel's functions on atomic numbers, with their family: those on pointers are none.
var atomicHelper = regexp.MustCompile(`^rust_helper_atomic(64|_i8|_i16)?_(?:read|set|xchg|try_cmpxchg|fetch_add)(?:_acquire|_release|_relaxed)?$`)

// atomicSizes are the bytes that a family looks at and writes, by its name.
var atomicSizes = map[string]int64{"": 4, "64": 8, "_i8": 1, "_i16": 2}

var (
	formatter    = regexp.MustCompile(`^(_printk|_dev_printk|seq_printf)$`)
	fromUser     = regexp.MustCompile(`^(_copy_from_user|rust_helper_copy_from_user)$`)
	toUser       = regexp.MustCompile(`^(_copy_to_user|rust_helper_copy_to_user)$`)
	reallocate   = regexp.MustCompile(`^rust_helper_(k|kv|v)realloc(_node_align)?$`)
	bitHelper    = regexp.MustCompile(`^rust_helper_(__)?(set|clear)_bit$`)
	errorPointer = regexp.MustCompile(`^rust_helper_(IS_ERR|PTR_ERR|ERR_PTR)$`)
	comparing    = regexp.MustCompile(`^(strlen|memchr|bcmp)$`)
)

// modelled follows the call of a function with a model that looks at certain bytes of its arguments and at
// nothing that they lead to, and says what it returns; false: it is none of them.
func (l *looks) modelled(symbol string, in *ir.Inst, args []held) (held, bool) {
	if k, known := contract.Of(symbol); !known || k.Effect != contract.Model {
		return held{}, false
	}
	family := atomicHelper.FindStringSubmatch(symbol)
	switch {
	case !takesPointer(in), errorPointer.MatchString(symbol):
		return l.number(args...), true
	case family != nil:
		return l.counted(in, args, atomicSizes[family[1]]), true
	case bitHelper.MatchString(symbol):
		return l.counted(in, []held{l.number(args[0]), args[1].anyOffset()}, word), true
	case formatter.MatchString(symbol), symbol == "bitmap_free": // what formats is not followed
		l.leak(l.number(args...))
		return elsewhere, true
	case fromUser.MatchString(symbol):
		l.leak(l.number(args...))
		return elsewhere, true
	case toUser.MatchString(symbol):
		l.number(args...)
		l.see(args[1].anyOffset(), 1) // all of it, but not what it leads to
		return elsewhere, true
	case reallocate.MatchString(symbol):
		l.store(elsewhere, l.load(args[0].anyOffset(), word), word)
		return l.number(args[1:]...), true
	case comparing.MatchString(symbol):
		for _, v := range args {
			l.whole(v)
		}
		l.size(l.strewn())
		return elsewhere, true
	}
	return held{}, false
}

// counted looks at n bytes behind each pointer, and puts numbers there: others, or what it found.
func (l *looks) counted(in *ir.Inst, args []held, n int64) held {
	out := elsewhere
	for i, v := range args {
		switch {
		case in.Args[1+i].Type.Kind != ir.Ptr:
			out = union(out, l.number(v))
			continue
		case l.overlapping: // all beside it stays, since another input may lie over it
			l.see(v.anyOffset(), 1)
		}
		out = union(out, l.load(v, n))
	}
	for i, v := range args {
		if in.Args[1+i].Type.Kind == ir.Ptr {
			l.store(v, out.anyOffset(), n)
		}
	}
	return out
}
