// Package stage is the first process of a sandbox. It is told what to do as a
// program of system calls, which another package makes, and knows nothing but
// how to make one after the other: interpreter_amd64.s is a program of its own,
// of no more than that, which starts in a tenth of the time that a Go program
// takes. Where that cannot be had, this program is started again, and the init
// function of this package takes over before the rest is initialised. For that
// the package imports next to nothing: the linker orders initialisation by
// dependencies, then by path.
package stage

// ControlFD is the descriptor of the control socket in the first process.
const ControlFD = 3

// Base is where a program lies in the memory of the first process: all
// addresses in it are real ones. It is built for no other place, and in no
// way of what else is mapped there.
const Base = 0x2_0000_0000

// A program is sent with two words before it, its length and the address of
// its first step. It begins with these words, of which ReportSize bytes are
// sent back.
const (
	Failed     = 0   // address of the step that failed, 0 if none did
	Errno      = 8   // why
	Status     = 16  // of the command, as wait4 tells it
	PID        = 24  // of the command
	Usage      = 32  // struct rusage of all that the command started
	ReportSize = 176 //
	OnFailure  = 176 // address of the step to go on with when one fails
	HeaderSize = 184
)

// Offsets in a step, in bytes.
const (
	StepKind   = 0  // a Kind
	StepCall   = 8  // number of the system call
	StepArgs   = 16 // six of them
	StepStore  = 64 // address of 4 bytes for the result, or 0
	StepIgnore = 72 // errors not to fail for, a bit each; the last bit is all from 63 on
	StepJump   = 80 // address of another step
	StepSize   = 88
)

// Kind says which step comes after one that did not fail. After an error that
// is ignored it is the step that StepJump names.
type Kind uint64

// The kinds of steps.
const (
	Plain  Kind = iota // the next one
	Fork               // in the child StepJump's
	Wait               // the same, until it was the command that was waited for
	Thread             // in the new thread StepJump's
	Drain              // the same, until the result is 0
	Jump               // StepJump's
)
