package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// program is the name of the program that all actions run.
const program = "nothing"

// action is what a farm needs for one: its digest, and all blobs.
type action struct {
	digest digest.Digest
	blobs  []cas.Blob
	// result is what it leaves: inputs that are outputs too.
	result *repb.ActionResult
}

// newAction has program run in a tree of these files, and its outputs be files
// that stand in its input root already.
func newAction(files map[string]cas.Blob, outputs []string, cached bool) (*action, error) {
	body, err := nothing()
	if err != nil {
		return nil, err
	}
	a := &action{result: &repb.ActionResult{}}
	at := tree.Files{program: {Digest: a.add(body), Exec: true}}
	for name, b := range files {
		at[name] = tree.Entry{Digest: b.Digest}
		a.blobs = append(a.blobs, b)
	}
	for _, name := range outputs {
		a.result.OutputFiles = append(a.result.OutputFiles, &repb.OutputFile{Path: name, Digest: files[name].Digest.Proto()})
	}
	m, err := tree.Build(at)
	if err != nil {
		return nil, err
	}
	for _, dir := range m.Dirs {
		a.add(dir)
	}
	//lint:ignore SA1019 not everybody knows output_paths
	command := &repb.Command{Arguments: []string{"./" + program}, OutputPaths: outputs, OutputFiles: outputs}
	c, err := a.message(command)
	if err != nil {
		return nil, err
	}
	a.digest, err = a.message(&repb.Action{CommandDigest: c.Proto(), InputRootDigest: m.Root.Proto(), DoNotCache: !cached,
		Salt: fmt.Append(nil, serial.Add(1), time.Now().UnixNano())}) // nobody has it cached
	return a, err
}

func (a *action) add(body []byte) digest.Digest {
	d := digest.Of(body)
	a.blobs = append(a.blobs, cas.Blob{Digest: d, Data: body})
	return d
}

func (a *action) message(m proto.Message) (digest.Digest, error) {
	body, err := proto.Marshal(m)
	return a.add(body), err
}

// execute runs an action and waits for its end.
func (t *target) execute(ctx context.Context, d digest.Digest, cached bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := t.client.Execute(ctx, &repb.ExecuteRequest{ActionDigest: d.Proto()})
	if err != nil {
		return err
	}
	var last *longrunning.Operation
	for {
		op, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		last = op
	}
	resp := &repb.ExecuteResponse{}
	if err := last.GetResponse().UnmarshalTo(resp); err != nil {
		return fmt.Errorf("execute %v: it ends as %v: %w", d, last, err)
	}
	if resp.GetStatus().GetCode() != 0 || resp.GetResult().GetExitCode() != 0 {
		return fmt.Errorf("execute %v: status %v, message %q, exit code %d, %q", d, resp.GetStatus(), resp.GetMessage(), resp.GetResult().GetExitCode(), resp.GetResult().GetStderrRaw())
	}
	if cached && !resp.CachedResult {
		return fmt.Errorf("execute %v: its result is not from the cache", d)
	}
	return nil
}

// outputs of the actions whose results are asked for.
const outputs = 10

// known makes an action with outputs whose result every farm is to have.
func known() (*action, error) {
	files := map[string]cas.Blob{}
	var names []string
	for i := range outputs {
		name := fmt.Sprint("out", i)
		files[name] = blob(small)
		names = append(names, name)
	}
	return newAction(files, names, true)
}

// unknown makes an action without inputs whose result nobody keeps.
func unknown() (*action, error) { return newAction(nil, nil, false) }

// store has a farm know an action, and its result if it keeps that: stored by
// clients where they may do that, else by running it.
func (t *target) store(ctx context.Context, a *action) error {
	if err := t.updateAll(ctx, a.blobs); err != nil || len(a.result.OutputFiles) == 0 {
		return err
	}
	if t.executes {
		return t.execute(ctx, a.digest, false)
	}
	_, err := t.client.UpdateActionResult(ctx, &repb.UpdateActionResultRequest{ActionDigest: a.digest.Proto(), ActionResult: a.result})
	return err
}

// repeated does the same with one action again and again.
func repeated(create func() (*action, error), do func(ctx context.Context, t *target, d digest.Digest) error) load {
	return func(context.Context, int) (prepare, error) {
		a, err := create()
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, t *target) (op, error) {
			if err := t.store(ctx, a); err != nil {
				return nil, err
			}
			return timed(func(ctx context.Context, _ int) error { return do(ctx, t, a.digest) }), nil
		}, nil
	}
}

// ask asks for the result of a known action. All farms check that its outputs
// are there.
func ask(ctx context.Context, t *target, d digest.Digest) error {
	r, err := t.client.GetActionResult(ctx, &repb.GetActionResultRequest{ActionDigest: d.Proto()})
	if err == nil && len(r.OutputFiles) != outputs {
		return fmt.Errorf("result with %d outputs, want %d", len(r.OutputFiles), outputs)
	}
	return err
}

func executeCached(ctx context.Context, t *target, d digest.Digest) error {
	return t.execute(ctx, d, true)
}

func executeAnew(ctx context.Context, t *target, d digest.Digest) error {
	return t.execute(ctx, d, false)
}

const changed = 10 // files of a tree between an action and the next

// warmActions runs actions over trees of n files of which all but ten are those
// of the action before. Uploads are not measured.
func warmActions(n, size int) load {
	files := map[string]cas.Blob{}
	name := func(i int) string { return fmt.Sprintf("d%d/e%d/f%d", i%10, i%100, i) }
	return func(_ context.Context, round int) (prepare, error) {
		for i := range n {
			if round == 0 {
				files[name(i)] = blob(size)
			}
		}
		return func(ctx context.Context, t *target) (op, error) {
			next := func(ctx context.Context) (*action, error) {
				for range changed {
					files[name(rand.IntN(n))] = blob(size)
				}
				a, err := newAction(files, nil, false)
				if err != nil {
					return nil, err
				}
				return a, t.updateAll(ctx, a.blobs)
			}
			first, err := next(ctx)
			if err != nil {
				return nil, err
			}
			if err := t.execute(ctx, first.digest, false); err != nil {
				return nil, err
			}
			return func(ctx context.Context, _ int) (time.Duration, error) {
				a, err := next(ctx)
				if err != nil {
					return 0, err
				}
				begin := time.Now()
				err = t.execute(ctx, a.digest, false)
				return time.Since(begin), err
			}, nil
		}, nil
	}
}
