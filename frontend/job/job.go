// Package job carries out a submit: bitcode of the crates that were asked for,
// slices out of the bitcode, a proof of each slice, a replay of each witness,
// and the report. It decides what is done in what order; the farm decides
// where, and whether it is done at all or answered from the cache.
package job

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/kbuild"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Kernel is the Rust of one kernel tree, as a plan of it shows. Implementations
// run the actions of its build as they are needed, each once.
type Kernel interface {
	// Crates lists the crates of the target: libraries, drivers, samples.
	Crates() ([]Crate, error)
	// Bitcode compiles a crate and what it needs.
	Bitcode(ctx context.Context, c Crate) (*Bitcode, error)
	// Check compiles a file of written checks against the kernel crate; of those that come with
	// kvfarm, what this kernel has the code for.
	Check(ctx context.Context, c Check) (*Bitcode, error)
	// Actions returns how many actions Bitcode and Check take for all of these,
	// with those that came before: configuration and plan.
	Actions(crates []Crate, checks int) (int, error)
}

// Crate is a target crate of the kernel.
type Crate struct {
	Name    string   // as rustc is told
	Source  string   // path of its root file in the tree, absolute in the toolchain
	Files   []string // of the tree, that it is made of
	Library bool     // large: a file of it, as a target, means what that file declares
}

// Bitcode is what the lowerer needs to cut slices out of a crate.
type Bitcode struct {
	Link  []tree.Entry // bitcode files to link, the crate itself last
	Names []string     // of the crates in Link
	Over  *tree.Entry  // bitcode whose definitions win in native runs; nil if there is none
	Types []tree.Entry // bitcode with full debug information, of the crate itself first
	// Foreign code is for another machine than the toolchain's programs: it is not run natively.
	Foreign bool
	Root    digest.Digest     // toolchain that made it
	Env     map[string]string // that commands of the toolchain want

	Content kbuild.Content // opens what of Link the farm may lack; nil: it has it all
	Lacks   []*pb.Lack     // checks that were left out; if all were, there is nothing to link
	Tries   int            // compilations beyond the one that Kernel.Actions counts, to find Lacks
}

// Tool is a program that actions bring along.
type Tool struct {
	Name    string
	Entry   tree.Entry
	Content kbuild.Content
}

// Spec is what is asked for.
type Spec struct {
	Targets []string
	Budget  int64 // engine's default if 0
	Shards  int   // into which a root is divided at most if its budget does not suffice; none if less than 2
	Checks  []Check
	Source  report.Source // the tree's lines: they say whether a function is of C's kind; nil: none is
	Lower   Tool
	Engine  Tool
	Fuzz    *Fuzz  // instead of proofs; nil: prove
	Costs   *Costs // of earlier proofs, for the order of these; may be nil
}

// Job is one submit.
type Job struct {
	Spec
	kernel Kernel
	runner kbuild.Runner
	plan   *plan
	blobs  cas.Store
	events event.Sink

	mu     sync.Mutex
	proofs []*report.Proof
	crates []crateCode
	cut    []unitCuts // crates whose roots are proved
	called []report.Context
	// failures are proofs of automatic roots as they call another function, of which some panic fails.
	failures []*report.Proof
	opt      optimised
	live     *report.Builder // shows failures as they are found
	errs     []error
	lacks    []*pb.Lack
}

// New returns a Job. live decides which failures are new.
func New(s Spec, k Kernel, r kbuild.Runner, blobs cas.Store, events event.Sink, live *report.Builder) *Job {
	return &Job{Spec: s, kernel: k, runner: r, blobs: blobs, events: events, live: live,
		plan: &plan{events: events}, opt: optimised{claimed: map[digest.Digest]bool{}}}
}

// unit is a crate or a file of checks, on its way to slices.
type unit struct {
	name   string
	source string
	check  *Check
	crate  *Crate

	// Which of its roots were asked for: all, those called so, those that files or folders declare.
	all   bool
	names []string
	files []string
}

// wants reports whether r was asked for.
func (u unit) wants(r position.Root) bool {
	named := func(name string) bool { return rootIs(r.Name, name) }
	return u.covers(r.File) || slices.ContainsFunc(u.names, named)
}

// covers reports whether what is in file was asked for.
func (u unit) covers(file string) bool {
	return u.all || slices.ContainsFunc(u.files, func(dir string) bool { return inside(file, dir) })
}

// states is what a root of u states, if its author said so.
func (u unit) states(root string) string {
	if u.check == nil {
		return ""
	}
	return u.check.States[root[strings.LastIndex(root, ":")+1:]]
}

// Run does it all. Failures of single roots or crates are gathered, so that one
// broken driver does not keep the others' verdicts; Fill reports them. The
// error is for what stops the whole: an unknown target, a cancelled context.
func (j *Job) Run(ctx context.Context) error {
	crates, err := j.kernel.Crates()
	if err != nil {
		return err
	}
	units, err := selectUnits(j.Targets, crates, j.Checks)
	if err != nil {
		return err
	}
	if j.Fuzz != nil {
		units = slices.DeleteFunc(units, func(u unit) bool { return u.check == nil })
	}
	if err := j.count(units); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	late, apart := errgroup.WithContext(ctx)
	g, within := errgroup.WithContext(ctx)
	for _, u := range units {
		g.Go(func() error {
			return j.gather(within, u.name, j.unit(within, u, func(bc *Bitcode, crates []int) {
				late.Go(func() error { return j.optimise(apart, bc, crates) })
			}))
		})
	}
	err = g.Wait()
	if err == nil {
		err = j.inContext(ctx)
	}
	if err != nil {
		stop()
	}
	return cmp.Or(err, late.Wait())
}

// gather notes err, unless the whole job is being stopped.
func (j *Job) gather(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.errs = append(j.errs, fmt.Errorf("%s: %w", what, err))
	return nil
}

// unit does all that u takes. What LLVM makes of its crates late looks at, beside all proofs: none waits for that.
func (j *Job) unit(ctx context.Context, u unit, late func(*Bitcode, []int)) error {
	bc, err := j.bitcode(ctx, u)
	if err != nil {
		j.plan.cut(0)
		return err
	}
	j.plan.more(bc.Tries)
	err = j.leaveOut(u, bc.Lacks)
	if err != nil || len(bc.Link) == 0 {
		j.plan.skip(1) // nothing is lowered
		j.plan.cut(0)
		return err
	}
	var mine []int
	if u.check == nil {
		mine = j.claim(bc)
		j.plan.more(len(mine))
	}
	index, err := j.lower(ctx, u, bc)
	late(bc, mine)
	if err != nil {
		j.plan.cut(0)
		return err
	}
	return j.decide(ctx, u, bc, index)
}

// decide has the slices proved that were cut out of u's bitcode.
func (j *Job) decide(ctx context.Context, u unit, bc *Bitcode, index cutCrate) error {
	j.promote(index.cuts)
	outer := slices.DeleteFunc(slices.Clone(index.cuts), func(c cut) bool {
		return c.root.Kind == position.Inner || !u.wants(c.root) || j.Fuzz != nil && c.root.Kind != position.Check
	})
	holding := u.holding(index.cuts)
	j.plan.cut(len(outer) + u.proofs(holding) + u.calls(index.cuts))
	if u.check != nil {
		for i := range outer {
			outer[i].root.Name = u.check.Prefix + outer[i].root.Name
		}
		return j.proveAll(ctx, u, bc, outer)
	}
	if err := j.proveAll(ctx, u, bc, outer); err != nil {
		return err
	}
	inner := j.inner(u, index)
	j.plan.skip(u.proofs(holding) - u.proofs(inner))
	if err := j.proveInner(ctx, u, bc, inner); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cut = append(j.cut, unitCuts{u, index})
	return nil
}

// promote makes automatic roots of the functions that C calls by their address:
// no more is known of its calls than of those from another crate.
func (j *Job) promote(cuts []cut) {
	if j.Source == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range cuts {
		r := &cuts[i].root
		if r.Kind == position.Inner && r.Called == position.ByAddress && report.C(j.Source, *r) {
			r.Kind, cuts[i].up = position.Auto, true
		}
	}
}

func (j *Job) proveAll(ctx context.Context, u unit, bc *Bitcode, cuts []cut) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range cuts {
		g.Go(func() error { return j.gather(ctx, c.root.Name, j.prove(ctx, u, bc, c)) })
	}
	return g.Wait()
}

func (j *Job) bitcode(ctx context.Context, u unit) (*Bitcode, error) {
	if u.check != nil {
		return j.kernel.Check(ctx, *u.check)
	}
	return j.kernel.Bitcode(ctx, *u.crate)
}
