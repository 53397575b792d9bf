package job

import (
	"context"
	"fmt"
	"maps"

	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/rust"
)

// How a witness was confirmed.
const (
	byInterpreter = "interpreter"
	byBoth        = "interpreter, native"
)

// replay runs the witnesses of a written check as native programs. The engine
// has replayed each of them in its interpreter; this asks a compiler too.
func (j *Job) replay(ctx context.Context, p *report.Proof, bc *Bitcode) error {
	for i := range p.Verdict.Witnesses {
		p.Replay[i] = byInterpreter
		if p.Root.Kind != "check" || bc.Foreign {
			continue
		}
		ending, err := j.native(ctx, p, bc, &p.Verdict.Witnesses[i])
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		switch ending.Word {
		case rust.Assert, rust.Panic:
			p.Replay[i] = byBoth
		case rust.OK, rust.Assume:
			disown(p.Verdict, i, string(ending.Word))
		}
		// What a crash, or C code that is missing outside the kernel, says of a
		// panic is nothing: the interpreter's word stands.
	}
	return nil
}

func (j *Job) native(ctx context.Context, p *report.Proof, bc *Bitcode, w *verdict.Witness) (rust.Ending, error) {
	content := kbuild.Blobs{}
	r := rust.Replay{Check: p.Root.Symbol, Bitcode: bc.Link, Over: bc.Over}
	for _, in := range w.Inputs {
		r.Inputs = append(r.Inputs, rust.Input(in))
	}
	a, err := r.Action(content.Add)
	if err != nil {
		return rust.Ending{}, err
	}
	a.Root, a.Content = bc.Root, kbuild.Either(content, bc.Content)
	maps.Copy(a.Env, bc.Env)
	res, err := j.runner.Run(ctx, a)
	if err != nil {
		return rust.Ending{}, err
	}
	return rust.ParseEnding(res)
}

// disown takes back a refutation that the native program does not confirm:
// interpreter and compiler disagree, so one of them, or the slice, is wrong.
// Undefined behaviour need not show in a native run and is left alone.
func disown(v *verdict.Verdict, witness int, ending string) {
	s := &v.Sites[v.Witnesses[witness].Site]
	if s.Loc < 0 && s.Kind != "assert" {
		return
	}
	s.Verdict, s.Witness = verdict.Unknown, -1
	s.Reason = "spurious: a native run of the witness ends with " + ending
	for _, other := range v.Sites {
		if other.Verdict == verdict.Refuted {
			return
		}
	}
	v.Verdict, v.Reason = verdict.Unknown, s.Reason
}
