package seccomp

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// decide runs a filter on a call as the kernel does.
func decide(t *testing.T, f Filter, arch, nr uint32, args [6]uint64) uint32 {
	t.Helper()
	word := func(offset uint32) uint32 {
		switch {
		case offset == offsetCall:
			return nr
		case offset == offsetArch:
			return arch
		case offset >= offsetArgs && (offset-offsetArgs)%8 == 0 && offset < offsetArgs+6*8:
			return uint32(args[(offset-offsetArgs)/8])
		}
		t.Fatalf("load of offset %d", offset)
		return 0
	}
	var a uint32
	for pc := 0; pc < len(f); pc++ { // jumps only lead on, so it ends
		i := f[pc]
		hit := false
		switch i.Code {
		case load:
			a = word(i.K)
			continue
		case mask:
			a &= i.K
			continue
		case answer:
			return i.K
		case equal:
			hit = a == i.K
		case atLeast:
			hit = a >= i.K
		case anyBit:
			hit = a&i.K != 0
		default:
			t.Fatalf("instruction %d: code %#x", pc, i.Code)
		}
		if hit {
			pc += int(i.Jt)
		} else {
			pc += int(i.Jf)
		}
	}
	t.Fatal("the filter ends without an answer")
	return 0
}

// refuses is what a rule means, said in another way.
func (r Rule) refuses(args [6]uint64) bool {
	v := uint32(args[r.Uses.arg])
	switch r.Uses.kind {
	case with:
		return v&r.Uses.values[0] != 0
	case withAll:
		return v&r.Uses.values[0] == r.Uses.values[0]
	case in:
		return slices.Contains(r.Uses.values, v)
	case notIn:
		return !slices.Contains(r.Uses.values, v)
	}
	return true
}

// TestPolicy compares the program with its rules, for every call and for values
// on both sides of each condition.
func TestPolicy(t *testing.T) {
	policy := slices.Concat(rules(), archRules, Uncounted)
	byCall := map[uint32]Rule{}
	values := []uint32{0, 1, 2, 1 << 30, ^uint32(0)}
	for _, r := range policy {
		if _, ok := byCall[uint32(r.Call)]; ok {
			t.Errorf("call %d has two rules", r.Call)
		}
		byCall[uint32(r.Call)] = r
		for _, v := range r.Uses.values {
			values = append(values, v, v-1, v+1, v<<1, v>>1)
		}
	}
	f := Policy(Uncounted...)
	for nr := range uint32(600) {
		for arg := range 4 {
			for _, v := range values {
				args := [6]uint64{}
				args[arg] = uint64(v)
				want := uint32(answerAllow)
				if r, ok := byCall[nr]; ok && r.refuses(args) {
					want = answerErrno | uint32(r.Errno)
				}
				if got := decide(t, f, arch, nr, args); got != want {
					t.Fatalf("call %d with %#x as argument %d: %#x, want %#x", nr, v, arg, got, want)
				}
			}
		}
	}
}

// TestForeign: the numbers of other architectures mean other calls.
func TestForeign(t *testing.T) {
	f := Policy()
	for _, other := range []uint32{unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_ARM, unix.AUDIT_ARCH_RISCV64, 0} {
		if got := decide(t, f, other, uint32(unix.SYS_READ), [6]uint64{}); got != answerKill {
			t.Errorf("architecture %#x: %#x", other, got)
		}
	}
	if foreignCalls != 0 {
		if got := decide(t, f, arch, foreignCalls|uint32(unix.SYS_READ), [6]uint64{}); got != answerKill {
			t.Errorf("x32: %#x", got)
		}
	}
	// The kernel looks at 32 bits of these arguments: what is above must not hide them.
	high := [6]uint64{unix.CLONE_NEWUSER | 1<<40}
	if got := decide(t, f, arch, uint32(unix.SYS_CLONE), high); got == answerAllow {
		t.Error("high bits hide a new namespace")
	}
}
