package kbuild

import (
	"context"
	"fmt"
	"strings"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// ActionError says that a command of the build failed: the input is at fault,
// not the farm.
type ActionError struct {
	Kind     string
	Name     string
	Digest   digest.Digest // of the action
	ExitCode int
	Stderr   string // what the command said; rustc names file and line
}

func (e *ActionError) Error() string {
	return fmt.Sprintf("%s %s: exit status %d\n%s", e.Kind, e.Name, e.ExitCode, strings.TrimRight(e.Stderr, "\n"))
}

// Do has a executed and expects it to succeed and to leave its outputs. Errors:
// *ActionError, the farm's.
func Do(ctx context.Context, r Runner, a *Action) (*Result, error) {
	res, err := r.Run(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", a.Kind, a.Name, err)
	}
	if res.ExitCode != 0 {
		return nil, &ActionError{Kind: a.Kind, Name: a.Name, Digest: res.Action, ExitCode: res.ExitCode, Stderr: string(res.Stderr)}
	}
	for _, out := range a.Outputs {
		if _, ok := res.Outputs[out]; !ok {
			return nil, fmt.Errorf("%s %s: left no %s", a.Kind, a.Name, out)
		}
	}
	return res, nil
}
