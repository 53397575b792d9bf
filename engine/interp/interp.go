// Package interp runs a slice with concrete inputs.
//
// It is the judge of the prover: every witness is replayed here, and every
// proof can be tried here with random inputs. So it shares no code with the
// symbolic executor, and it is written for being obviously right first. See
// README.md for the contract.
package interp

import (
	"fmt"
	"math/big"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// Kind says how a run ended.
type Kind uint8

// The ways a run ends. Unsupported is the zero value: no answer.
const (
	Unsupported  Kind = iota // What names the construct or the C function without a model
	Returned                 // the root returned
	Panicked                 // a panic entry was called; What is its kind
	AssertFailed             // kvfarm_assert(false)
	Undefined                // undefined behaviour; What is one of the UB constants
	AssumeFailed             // kvfarm_assume(false): the inputs do not belong to the check
	OutOfSteps               // a limit was reached; What says which
	OutOfInputs              // the inputs do not fit what the run asks for
)

var kindNames = [...]string{"unsupported", "returned", "panicked", "assert", "undefined", "assume", "limit", "inputs"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// The kinds of undefined behaviour, as they stand in Outcome.What. The symbolic
// executor names them alike.
const (
	UBBranch      = "ub_branch_poison"    // branch or switch on undef or poison
	UBAddress     = "poison_use"          // access through an address that is undef or poison
	UBUninit      = "uninit_use"          // undef or poison where a value must be defined
	UBBoundsLoad  = "oob_load"            // read outside the object
	UBBoundsStore = "oob_store"           // write outside the object
	UBNull        = "null_deref"          // access through an address that is no object's
	UBNullRef     = "null_ref"            // null where it is promised not to be
	UBRef         = "bad_ref"             // a reference that does not lead to as many live bytes as promised
	UBDouble      = "double_free"         //
	UBDead        = "use_after_free"      // access to an object whose life has ended
	UBFree        = "bad_free"            // free of what is no live allocation's start
	UBAlign       = "misaligned"          // access, or a promised alignment
	UBConst       = "write_const"         // store to a constant
	UBUnreachable = "unreachable_reached" //
	UBRange       = "invalid_range"       // value outside of what is promised
	UBAssume      = "assume_false"        // llvm.assume(false)
	UBDivZero     = "div_zero"            // by any of the four divisions
	UBDivOverflow = "div_overflow"        // MIN / -1, MIN % -1
	UBCall        = "bad_call"            // call through a pointer that is no function of this signature
	UBOverlap     = "memcpy_overlap"      //
	UBTrap        = "trap"                // llvm.trap, llvm.ubsantrap
)

// Place is an instruction: Inst is its index within the function in block order.
type Place struct{ Func, Inst int }

// Input is one value that was asked for, in the order of asking.
type Input struct {
	Name  string
	Bits  int
	Value *big.Int
}

// Outcome is what one run showed.
type Outcome struct {
	Kind   Kind
	What   string // kind of panic or undefined behaviour, construct, limit
	Detail string // for people
	Place         // where it ended
	Loc    int    // panic location token that was passed, -1 if none
	Stack  []Place
	Result []*big.Int // Returned: the value, one entry per scalar, nil for an undefined one
	Inputs []Input    // all that were consumed
	Steps  int64      // instructions executed
	// Guessed: the run read content of a type that is not understood, and took it for zero.
	Guessed bool
	// Zero are the C functions, in order and each once, that returned 0 since nothing more is known of what they return; not all of many.
	Zero []string
}

func (o *Outcome) String() string {
	s := o.Kind.String()
	if o.What != "" {
		s += " " + o.What
	}
	if o.Kind != Returned {
		s += fmt.Sprintf(" at %d:%d", o.Func, o.Inst)
	}
	if o.Loc >= 0 {
		s += fmt.Sprintf(" loc %d", o.Loc)
	}
	if o.Detail != "" {
		s += " (" + o.Detail + ")"
	}
	return s
}

// Limits bound a run. The zero value of a field means its default.
type Limits struct {
	Steps  int64 // instructions, default 100 million
	Depth  int   // calls that are active at once, default 4096
	Memory int64 // bytes in live objects, default 256 MiB

	// Other are C functions that return something else where they would return 0 for want of anything better (Outcome.Zero):
	// -ENOMEM if they return errors, else 1, or the address of something.
	Other []string
}

func (l Limits) withDefaults() Limits {
	if l.Steps == 0 {
		l.Steps = 100_000_000
	}
	if l.Depth == 0 {
		l.Depth = 4096
	}
	if l.Memory == 0 {
		l.Memory = 256 << 20
	}
	return l
}

// Run executes the root of s. The error says that s is malformed; all that a
// well-formed slice can do is an Outcome.
func Run(s *ir.Slice, in Source, lim Limits) (Outcome, error) {
	p, err := Compile(s)
	if err != nil {
		return Outcome{}, err
	}
	return p.Run(in, lim), nil
}

// Run executes the root once. A Program may be run any number of times, by
// several goroutines at once.
func (p *Program) Run(in Source, lim Limits) Outcome {
	m := newMachine(p, in, lim.withDefaults())
	o := m.start()
	if o == nil {
		o = m.loop()
	}
	o.Inputs, o.Steps, o.Guessed = m.consumed, m.limits.Steps-m.left, m.guessed
	o.Zero = m.zero
	return *o
}

// loop executes until something ends the run.
func (m *machine) loop() *Outcome {
	for {
		in := &m.code[m.pc]
		if m.left == 0 {
			return m.end(OutOfSteps, "steps")
		}
		m.left--
		m.pc++
		if o := in.do(m, in); o != nil {
			return o
		}
	}
}
