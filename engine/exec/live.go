package exec

import "github.com/kvfarm/kvfarm/engine/ir"

// liveness computes which registers are live at the start of each block; only
// these are merged where paths meet.
func (f *flow) liveness() {
	words := (f.fn.NumReg + 63) / 64
	f.live = make([][]uint64, len(f.fn.Blocks))
	for i := range f.live {
		f.live[i] = make([]uint64, words)
	}
	for changed := true; changed; {
		changed = false
		for i := len(f.fn.Blocks) - 1; i >= 0; i-- {
			set := f.liveBefore(i, 0)
			for w := range set {
				if set[w]&^f.live[i][w] != 0 {
					changed = true
				}
				f.live[i][w] |= set[w]
			}
		}
	}
}

// liveBefore returns the registers live before instruction inst of a block. An
// operand of a phi is live on the edge that it comes along, and on no other:
// paths that do not take the edge need not have it.
func (f *flow) liveBefore(block, inst int) []uint64 {
	set := make([]uint64, (f.fn.NumReg+63)/64)
	b := f.fn.Blocks[block]
	for _, s := range f.succ[block] {
		for w, v := range f.live[s] {
			set[w] |= v
		}
		for _, in := range f.fn.Blocks[s].Insts {
			if in.Op != ir.Phi {
				break
			}
			markIncoming(set, in, block)
		}
	}
	for i := len(b.Insts) - 1; i >= inst; i-- {
		in := b.Insts[i]
		if in.Result >= 0 {
			set[in.Result/64] &^= 1 << uint(in.Result%64)
		}
		if in.Op != ir.Phi {
			markUses(set, in)
		}
	}
	return set
}

func markUses(set []uint64, in *ir.Inst) {
	for i := range in.Args {
		markValue(set, &in.Args[i])
	}
}

func markIncoming(set []uint64, phi *ir.Inst, from int) {
	for i, b := range phi.Targets {
		if b == from {
			markValue(set, &phi.Args[i])
		}
	}
}

func markValue(set []uint64, v *ir.Value) {
	if v.Kind == ir.Reg {
		set[v.Index/64] |= 1 << uint(v.Index%64)
	}
	for i := range v.Elems {
		markValue(set, &v.Elems[i])
	}
}

func isLive(set []uint64, reg int) bool { return set[reg/64]>>uint(reg%64)&1 == 1 }
