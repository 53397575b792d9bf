package rust

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
)

// ReplayKind is the kind of action that runs a witness as a native program.
const ReplayKind = "replay"

// Replay runs a written check as an ordinary program, compiled by the
// toolchain that compiled the kernel: the last judge of a witness.
type Replay struct {
	Check   string       // symbol
	Inputs  []Input      // of the witness, in its order
	Bitcode []tree.Entry // what the check needs, and its crate last
	Over    *tree.Entry  // bitcode whose definitions win over theirs; nil if there is none
}

// Input is one value of a witness.
type Input struct {
	Name  string // "any#4"
	Bits  int
	Value string // unsigned, decimal
}

// Action returns the action that replays the check; Root and the PATH of its
// tools are left to the caller. add makes a file of some bytes.
func (r *Replay) Action(add func([]byte) tree.Entry) (*kbuild.Action, error) {
	a, err := harness(ReplayKind, "replay.sh", r.Check, add)
	if err != nil {
		return nil, err
	}
	a.Argv = append(a.Argv, "replay/inputs")
	a.Inputs["replay/inputs"] = add(r.inputs())
	addBitcode(a, r.Bitcode, r.Over)
	return a, nil
}

// harness is the start of an action that runs a script on a check.
func harness(kind, script, check string, add func([]byte) tree.Entry) (*kbuild.Action, error) {
	a := &kbuild.Action{Kind: kind, Name: check, Inputs: tree.Files{}, Env: map[string]string{"LC_ALL": "C"},
		Argv: []string{"sh", "replay/" + script, check}}
	list, err := files.ReadDir("replay")
	if err != nil {
		return nil, fmt.Errorf("list harness: %w", err)
	}
	for _, f := range list {
		b, err := files.ReadFile(path.Join("replay", f.Name()))
		if err != nil {
			return nil, fmt.Errorf("read harness: %w", err)
		}
		a.Inputs[path.Join("replay", f.Name())] = add(b)
	}
	return a, nil
}

func addBitcode(a *kbuild.Action, bitcode []tree.Entry, over *tree.Entry) {
	for i, e := range bitcode {
		name := fmt.Sprintf("replay/%03d.bc", i)
		a.Inputs[name] = e
		a.Argv = append(a.Argv, name)
	}
	if over != nil {
		a.Inputs["replay/over.bc"] = *over
	}
}

func (r *Replay) inputs() []byte {
	var b strings.Builder
	for _, in := range r.Inputs {
		fmt.Fprintf(&b, "%s %d %s\n", in.Name, in.Bits, in.Value)
	}
	return []byte(b.String())
}

// Word is how a replay ended.
type Word string

// The words of the harness. Those from Assume on say nothing of the kernel.
const (
	OK      Word = "OK"      // the check returned
	Assert  Word = "ASSERT"  // a statement of the check does not hold
	Panic   Word = "PANIC"   //
	Crash   Word = "CRASH"   // a signal
	Assume  Word = "ASSUME"  // the inputs do not belong to the check
	Missing Word = "MISSING" // C code of the kernel is needed
	Inputs  Word = "INPUT"   // the inputs do not fit what the run asks for
)

var words = []Word{OK, Assert, Panic, Crash, Assume, Missing, Inputs}

// Ending is how a replay ended and where.
type Ending struct {
	Word      Word
	File      string // Assert, Panic
	Line, Col int    // Assert has no column
	Detail    string // Panic: its message; Missing: the symbol; Crash: signal and address
}

// ParseEnding reads the result of a replay action.
func ParseEnding(r *kbuild.Result) (Ending, error) {
	first, _, _ := strings.Cut(string(r.Stdout), "\n")
	said, rest, _ := strings.Cut(first, " ")
	word := Word(said)
	if r.ExitCode != 0 || !slices.Contains(words, word) {
		return Ending{}, fmt.Errorf("replay ends with code %d: %q: %s", r.ExitCode, first, tail(r.Stderr))
	}
	e := Ending{Word: word, Detail: rest}
	switch word {
	case Assert:
		e.Detail = ""
		e.File, e.Line, e.Col = position(rest)
	case Panic:
		at, message, found := strings.Cut(rest, ": ")
		if found {
			e.Detail = message
			e.File, e.Line, e.Col = position(at)
		}
	}
	return e, nil
}

// position reads "file:line" or "file:line:col".
func position(s string) (file string, line, col int) {
	part := strings.Split(s, ":")
	if len(part) > 1 {
		line, _ = strconv.Atoi(part[1])
	}
	if len(part) > 2 {
		col, _ = strconv.Atoi(part[2])
	}
	return part[0], line, col
}

func tail(b []byte) string {
	const most = 400
	return string(b[max(0, len(b)-most):])
}
