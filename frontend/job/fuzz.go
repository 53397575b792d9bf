package job

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/rust"
)

// Fuzz says how written checks are fuzzed.
type Fuzz struct {
	Seed uint64
	Runs int // of each check, at most
}

const (
	inputsFile = "inputs.json"
	runKind    = "run"
)

// fuzz has a written check run natively with many inputs. What fails there is
// run again by the engine's interpreter, which says where and whether it fails; that no
// run fails proves nothing.
func (j *Job) fuzz(ctx context.Context, u unit, bc *Bitcode, c cut) error {
	r, err := j.fuzzRuns(ctx, bc, c)
	if err != nil {
		return err
	}
	end, inputs, err := rust.ParseFuzz(r)
	if err != nil {
		return fmt.Errorf("fuzz: %w", err)
	}
	v := &verdict.Verdict{Version: verdict.Version, Verdict: verdict.Unknown, Reason: end.Detail}
	if end.Word != rust.OK {
		if r, v, err = j.runEngine(ctx, c, inputs); err != nil {
			return err
		}
		if v.Verdict != verdict.Refuted {
			v.Verdict, v.Reason = verdict.Unknown, fmt.Sprintf("a native run ends with %s; %s", end.Word, v.Reason)
		}
	}
	p, err := j.proof(ctx, u, c, r, v)
	if err != nil {
		return err
	}
	for i := range p.Replay {
		p.Replay[i] = byInterpreter
		if end.Word == rust.Assert || end.Word == rust.Panic {
			p.Replay[i] = byBoth
		}
	}
	j.done(p)
	return nil
}

func (j *Job) fuzzRuns(ctx context.Context, bc *Bitcode, c cut) (*kbuild.Result, error) {
	content := kbuild.Blobs{}
	f := rust.Fuzz{Check: c.root.Symbol, Seed: j.Fuzz.Seed, Runs: j.Fuzz.Runs, Bitcode: bc.Link, Over: bc.Over}
	a, err := f.Action(content.Add)
	if err != nil {
		return nil, err
	}
	a.Name, a.Root, a.Content = c.root.Name, bc.Root, kbuild.Either(content, bc.Content)
	maps.Copy(a.Env, bc.Env)
	return j.runner.Run(ctx, a)
}

// runEngine has a slice run by the interpreter.
func (j *Job) runEngine(ctx context.Context, c cut, inputs []rust.Input) (*kbuild.Result, *verdict.Verdict, error) {
	list := []verdict.Input{}
	for _, in := range inputs {
		list = append(list, verdict.Input(in))
	}
	b, err := json.Marshal(list)
	if err != nil {
		return nil, nil, fmt.Errorf("encode inputs: %w", err)
	}
	content := kbuild.Blobs{}
	r, err := j.runner.Run(ctx, &kbuild.Action{
		Kind: runKind, Name: c.root.Name,
		Argv:    []string{"./kvengine", "run", "--out", verdict.FileName, sliceFile, inputsFile},
		Inputs:  tree.Files{"kvengine": j.Engine.Entry, sliceFile: c.slice, inputsFile: content.Add(b)},
		Outputs: []string{verdict.FileName},
		Content: kbuild.Either(content, j.Engine.Content),
	})
	if err != nil {
		return nil, nil, err
	}
	v, err := j.verdict(ctx, r)
	return r, v, err
}
