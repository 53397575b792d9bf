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

// modelled follows the call of a function with a model that looks at certain bytes of its arguments and at
// nothing that they lead to, and says what it returns; false: it is none of them.
func (l *looks) modelled(symbol string, in *ir.Inst, args []held) (held, bool) {
	if k, known := contract.Of(symbol); !known || k.Effect != contract.Model {
		return held{}, false
	}
	if family := atomicHelper.FindStringSubmatch(symbol); family != nil && !l.overlapping {
		return l.counted(in, args, atomicSizes[family[1]]), true
	}
	if (symbol == "_copy_to_user" || symbol == "rust_helper_copy_to_user") && len(args) == 3 {
		l.whole(args[0])
		l.whole(args[2])
		l.size(args[1])
		l.see(args[1].anyOffset(), 1) // all of it, but not what it leads to
		return elsewhere, true
	}
	return held{}, false
}

// counted looks at n bytes behind each pointer, and puts numbers there: others, or what it found.
func (l *looks) counted(in *ir.Inst, args []held, n int64) held {
	out := elsewhere
	for i, v := range args {
		if in.Args[1+i].Type.Kind == ir.Ptr {
			out = union(out, l.load(v, n))
		} else {
			l.whole(v)
		}
	}
	for i, v := range args {
		if in.Args[1+i].Type.Kind == ir.Ptr {
			l.store(v, out, n)
		}
	}
	return out
}
