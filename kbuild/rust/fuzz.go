package rust

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
)

// Fuzz runs a written check as an ordinary program again and again, with inputs
// that chance and earlier runs suggest, until one fails.
type Fuzz struct {
	Check   string // symbol
	Seed    uint64 // the same one gives the same runs
	Runs    int    // at most
	Bitcode []tree.Entry
	Over    *tree.Entry // as in Replay
}

// Action returns the action; Root and the PATH of its tools are left to the
// caller.
func (f *Fuzz) Action(add func([]byte) tree.Entry) (*kbuild.Action, error) {
	a, err := harness("fuzz", "fuzz.sh", f.Check, add)
	if err != nil {
		return nil, err
	}
	a.Argv = append(a.Argv, strconv.FormatUint(f.Seed, 10), strconv.Itoa(f.Runs))
	addBitcode(a, f.Bitcode, f.Over)
	return a, nil
}

// ParseFuzz reads the result of a fuzz action: how the failing run ends and its
// inputs, or OK with a summary.
func ParseFuzz(r *kbuild.Result) (Ending, []Input, error) {
	e, err := ParseEnding(r)
	if err != nil {
		return Ending{}, nil, err
	}
	_, rest, _ := strings.Cut(string(r.Stdout), "\n")
	var inputs []Input
	for line := range strings.Lines(rest) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return Ending{}, nil, fmt.Errorf("fuzz says %q where an input is wanted", line)
		}
		bits, err := strconv.Atoi(f[1])
		if err != nil {
			return Ending{}, nil, fmt.Errorf("fuzz says %q: %w", line, err)
		}
		inputs = append(inputs, Input{Name: f[0], Bits: bits, Value: f[2]})
	}
	return e, inputs, nil
}
