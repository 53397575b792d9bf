// Package audit finds the proofs that a store holds, for others to do again.
package audit

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// Store is a store of blobs and results that can list the latter.
type Store interface {
	cas.Store
	Result(ctx context.Context, d digest.Digest) (*repb.ActionResult, error)
	Results(ctx context.Context) ([]digest.Digest, error)
}

// Proof is a cached proof. What it says of bounds is checked: it may come from anyone.
type Proof struct {
	Action  digest.Digest
	Engine  digest.Digest
	Bounds  []string // flags of the engine: --held or --alone, --of N, --budget N, --loops N, --shard DECISIONS
	Slice   digest.Digest
	Verdict digest.Digest
}

// Proofs are the proofs of a store.
type Proofs struct {
	Own    []Proof // by the engine that was asked for, in the order of their keys
	Others int     // by other engines
	Lost   int     // that left a verdict, but whose inputs are no longer there
}

// errOther is of actions that are no proofs.
var errOther = errors.New("no proof")

// Find lists the proofs in s.
func Find(ctx context.Context, s Store, engine digest.Digest) (*Proofs, error) {
	all, err := s.Results(ctx)
	if err != nil {
		return nil, err
	}
	out := &Proofs{}
	for _, d := range all {
		p, err := read(ctx, s, d)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, errOther):
		case errors.Is(err, cas.ErrNotFound):
			if leftVerdict(ctx, s, d) {
				out.Lost++
			}
		case err != nil:
			return nil, fmt.Errorf("action %v: %w", d, err)
		case p.Engine != engine:
			out.Others++
		default:
			out.Own = append(out.Own, *p)
		}
	}
	slices.SortFunc(out.Own, func(p, q Proof) int { return digest.Compare(p.Action, q.Action) })
	return out, nil
}

// Sample returns n of the proofs, the same ones each time: keys are digests, so
// the first ones are as good as any.
func (p *Proofs) Sample(n int) []Proof { return p.Own[:min(n, len(p.Own))] }

const (
	engineFile  = "kvengine"
	maxMessage  = 1 << 20
	maxCommands = 64 // words of a proof's command line
)

func read(ctx context.Context, s Store, d digest.Digest) (*Proof, error) {
	if d.Size > maxMessage {
		return nil, errOther
	}
	var action repb.Action
	var command repb.Command
	if err := message(ctx, s, d, &action); err != nil {
		return nil, err
	}
	at, err := d.Function.FromProto(action.CommandDigest)
	if err != nil || at.Size > maxMessage {
		return nil, errOther
	}
	if err := message(ctx, s, at, &command); err != nil {
		return nil, err
	}
	p := &Proof{Action: d}
	slice, to, err := p.parse(command.Arguments)
	if err != nil {
		return nil, err
	}
	if err := p.inputs(ctx, s, action.InputRootDigest, slice); err != nil {
		return nil, err
	}
	return p, p.result(ctx, s, to)
}

// leftVerdict reports whether action d, of which no more can be known, left a
// verdict. Assets and lists of chunks are kept as results, too, of actions that
// never were.
func leftVerdict(ctx context.Context, s Store, d digest.Digest) bool {
	r, err := s.Result(ctx, d)
	return err == nil && slices.ContainsFunc(r.OutputFiles, func(f *repb.OutputFile) bool { return f.Path == verdict.FileName })
}

func message(ctx context.Context, s Store, d digest.Digest, m proto.Message) error {
	b, err := cas.ReadBlob(ctx, s, d, maxMessage)
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return errOther
	}
	return nil
}

// functions is a list of functions of a slice.
var functions = regexp.MustCompile(`^[0-9]+(,[0-9]+)*$`)

// parse takes a command line apart: kvengine prove BOUNDS --out VERDICT SLICE.
func (p *Proof) parse(argv []string) (slice, to string, err error) {
	if len(argv) < 5 || len(argv) > maxCommands || path.Base(argv[0]) != engineFile || argv[1] != "prove" {
		return "", "", errOther
	}
	rest := argv[2 : len(argv)-1]
	if rest[0] == "--held" || rest[0] == "--alone" {
		p.Bounds, rest = append(p.Bounds, rest[0]), rest[1:]
	}
	for ; len(rest) >= 2; rest = rest[2:] {
		n, err := strconv.ParseInt(rest[1], 10, 64)
		of, wrong := verdict.ParseShard(rest[1])
		switch {
		case rest[0] == "--out":
			to = rest[1]
		case (rest[0] == "--budget" || rest[0] == "--loops") && err == nil:
			p.Bounds = append(p.Bounds, rest[0], strconv.FormatInt(n, 10))
		case rest[0] == "--of" && functions.MatchString(rest[1]):
			p.Bounds = append(p.Bounds, rest[0], rest[1])
		case rest[0] == "--shard" && wrong == nil:
			p.Bounds = append(p.Bounds, rest[0], verdict.FormatShard(of))
		default:
			return "", "", errOther
		}
	}
	slice = argv[len(argv)-1]
	if len(rest) > 0 || to == "" || strings.Contains(slice, "/") {
		return "", "", errOther
	}
	return slice, to, nil
}

// inputs finds engine and slice in the input root.
func (p *Proof) inputs(ctx context.Context, s Store, root *repb.Digest, slice string) error {
	d, err := p.Action.Function.FromProto(root)
	if err != nil {
		return errOther
	}
	dir, err := tree.Read(ctx, s, d)
	if err != nil {
		return err
	}
	for _, f := range dir.Files {
		at, err := p.Action.Function.FromProto(f.Digest)
		if err != nil {
			return errOther
		}
		switch f.Name {
		case engineFile:
			p.Engine = at
		case slice:
			p.Slice = at
		}
	}
	if p.Engine.IsZero() || p.Slice.IsZero() {
		return errOther
	}
	return nil
}

func (p *Proof) result(ctx context.Context, s Store, to string) error {
	r, err := s.Result(ctx, p.Action)
	if err != nil {
		return err
	}
	for _, f := range r.OutputFiles {
		if f.Path == to {
			p.Verdict, err = p.Action.Function.FromProto(f.Digest)
			return err
		}
	}
	return errOther // it failed, and says nothing
}
