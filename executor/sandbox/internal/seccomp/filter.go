// Package seccomp makes system call filters: programs that the kernel runs
// before each system call of a process and of all that it starts.
package seccomp

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rule refuses one system call, or some uses of it.
type Rule struct {
	Call  uintptr
	Errno unix.Errno
	Uses  Uses
}

// Uses are calls told by an argument, of which the low 32 bits are looked at:
// the kernel ignores the others of every argument that is told apart here.
type Uses struct {
	kind   kind
	arg    int
	values []uint32
}

type kind int

const (
	all kind = iota
	with
	withAll
	in
	notIn
)

// With are calls whose argument number arg has any of the bits.
func With(arg int, bits uint32) Uses { return Uses{with, arg, []uint32{bits}} }

// WithAll are calls whose argument number arg has all of the bits.
func WithAll(arg int, bits uint32) Uses { return Uses{withAll, arg, []uint32{bits}} }

// In are calls whose argument number arg is one of values.
func In(arg int, values ...uint32) Uses { return Uses{in, arg, values} }

// NotIn are all other calls than those of In.
func NotIn(arg int, values ...uint32) Uses { return Uses{notIn, arg, values} }

// Offsets in the kernel's struct seccomp_data, and of the low half of a word of
// 64 bits on the machines that we know, which are little-endian.
const (
	offsetCall = 0
	offsetArch = 4
	offsetArgs = 16
)

const (
	load    = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	equal   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	atLeast = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	anyBit  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	mask    = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	answer  = unix.BPF_RET | unix.BPF_K
)

// Values that a filter answers with, from linux/seccomp.h.
const (
	answerAllow = 0x7fff0000
	answerErrno = 0x00050000
	answerKill  = 0x80000000
)

// Filter is a program for the kernel.
type Filter []unix.SockFilter

// New returns the filter that refuses what the rules say, of which there is at
// most one for each call. A call by the conventions of another architecture
// kills the process: its numbers mean other calls.
func New(rules []Rule) Filter {
	f := Filter{
		{Code: load, K: offsetArch},
		{Code: equal, K: arch, Jt: 1},
		{Code: answer, K: answerKill},
		{Code: load, K: offsetCall},
	}
	if foreignCalls != 0 {
		f = append(f, unix.SockFilter{Code: atLeast, K: foreignCalls, Jf: 1}, unix.SockFilter{Code: answer, K: answerKill})
	}
	rules = slices.Clone(rules)
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.Call, b.Call) })
	return append(f, search(rules)...)
}

// search finds the rule for a call among rules that are sorted, by halves: the
// kernel follows a new filter for each call that there is, to find out which of
// them it need not ask about later, and does so for every command.
func search(rules []Rule) (f Filter) {
	if half := len(rules) / 2; half > 1 {
		low, high := search(rules[:half]), search(rules[half:])
		if len(low) > math.MaxUint8 {
			panic("seccomp: more rules than a jump gets past")
		}
		f = append(f, unix.SockFilter{Code: atLeast, K: uint32(rules[half].Call), Jt: uint8(len(low))})
		return append(append(f, low...), high...)
	}
	for _, r := range rules {
		body := r.body()
		f = append(f, unix.SockFilter{Code: equal, K: uint32(r.Call), Jf: uint8(len(body))})
		f = append(f, body...)
	}
	return append(f, unix.SockFilter{Code: answer, K: answerAllow})
}

// body answers a call of r's number.
func (r Rule) body() Filter {
	refuse := unix.SockFilter{Code: answer, K: answerErrno | uint32(r.Errno)}
	allow := unix.SockFilter{Code: answer, K: answerAllow}
	if r.Uses.kind == all {
		return Filter{refuse}
	}
	f := Filter{{Code: load, K: uint32(offsetArgs + 8*r.Uses.arg)}}
	test := uint16(equal)
	switch r.Uses.kind {
	case with:
		test = anyBit
	case withAll:
		f = append(f, unix.SockFilter{Code: mask, K: r.Uses.values[0]})
	}
	for i, v := range r.Uses.values { // a hit goes to the last instruction
		f = append(f, unix.SockFilter{Code: test, K: v, Jt: uint8(len(r.Uses.values) - i)})
	}
	if r.Uses.kind == notIn {
		return append(f, refuse, allow)
	}
	return append(f, allow, refuse)
}

// Bytes is the program as the kernel reads it.
func (f Filter) Bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), len(f)*int(unsafe.Sizeof(f[0])))
}

// Install puts all threads of this process under the filter, for ever. It is
// for tests; a sandbox installs its filter before it starts the command.
func (f Filter) Install() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	program := unix.SockFprog{Len: uint16(len(f)), Filter: unsafe.SliceData(f)}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("install filter: %w", errno)
	}
	return nil
}
