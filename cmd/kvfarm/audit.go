package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/engine/certificate"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/smt/opinion"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/frontend/audit"
	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
)

type auditFlags struct {
	work
	sample int
	all    bool
	solver string
}

func newAudit() *cobra.Command {
	var a auditFlags
	c := &cobra.Command{
		Use:   "audit [flags]",
		Short: "prove a sample of the cached proofs again, with evidence and a second solver",
		Long: `Prove a sample of the cached proofs again, with evidence and a second solver.

Each proof is made again by the engine that made it. Its verdict must be the
same to the byte; each contradiction that it rests on gets a proof that a
checker of its own checks; and another solver, where one is installed, must
not find a model of any of them.

Exit status: 0 if all agrees, 1 if something does not, 2 if the audit failed.`,
		Example: `  kvfarm audit
  kvfarm audit --all --solver bitwuzla --state /srv/kvfarm`,
		Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c.Context(), c.OutOrStdout()) },
	}
	f := c.Flags()
	a.state.flag(f)
	f.StringVar(&a.tools, "tools", "", "`DIR` of kvengine (default: where kvfarm is)")
	f.IntVar(&a.sample, "sample", 20, "how many proofs: `N`, the same ones each time")
	f.BoolVar(&a.all, "all", false, "all proofs")
	f.StringVar(&a.solver, "solver", "", "second solver: z3, bitwuzla or cvc5, or a `PATH` to one (default: the first that is installed)")
	c.MarkFlagsMutuallyExclusive("sample", "all")
	return c
}

func (a *auditFlags) run(ctx context.Context, out io.Writer) error {
	if err := a.locate(); err != nil {
		return err
	}
	if err := a.wantStore(); err != nil {
		return err
	}
	if err := a.resolve(); err != nil {
		return err
	}
	engine, err := a.tool("kvengine")
	if err != nil {
		return err
	}
	second, err := opinion.Find(a.solver)
	if err != nil && !errors.Is(err, opinion.ErrNone) {
		return err
	}
	if err != nil {
		fmt.Fprintln(out, err)
	}
	s, err := openStore(ctx, a.dir, slog.Default())
	if err != nil {
		return err
	}
	n, err := a.audit(ctx, out, s, engine, second)
	if err = errors.Join(err, s.Close()); err == nil && n > 0 {
		return status(report.ExitRefuted)
	}
	return err
}

// audit returns how many proofs do not stand.
func (a *auditFlags) audit(ctx context.Context, out io.Writer, s *badgerstore.Store, engine job.Tool, second *opinion.Solver) (int, error) {
	dir, err := os.MkdirTemp("", "kvfarm-audit")
	if err != nil {
		return 0, fmt.Errorf("make a folder for the audit: %w", err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "kvengine")
	if err := copyTool(program, engine); err != nil {
		return 0, err
	}
	proofs, err := audit.Find(ctx, s, engine.Entry.Digest)
	if err != nil {
		return 0, err
	}
	sample := proofs.Own
	if !a.all {
		sample = proofs.Sample(a.sample)
	}
	r := auditor{store: s, engine: program, second: second, dir: dir}
	for _, p := range sample {
		if err := r.proof(ctx, out, p); err != nil {
			return 0, fmt.Errorf("audit proof %v: %w", p.Action, err)
		}
	}
	fmt.Fprintf(out, "proofs          %d of %d by this engine; %d by others, %d without their inputs\n", len(sample), len(proofs.Own), proofs.Others, proofs.Lost)
	r.tell(out)
	return r.wrong, nil
}

func copyTool(name string, t job.Tool) error {
	r, err := t.Content.Open(t.Entry.Digest)
	if err != nil {
		return fmt.Errorf("copy %s: %w", t.Name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err == nil {
		err = os.WriteFile(name, b, 0o700)
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", t.Name, err)
	}
	return nil
}

// auditor counts what it finds.
type auditor struct {
	store  *badgerstore.Store
	engine string // program
	second *opinion.Solver
	dir    string

	wrong             int // proofs that do not stand
	same              int // verdicts
	steps, open       int
	agree, undecided  int // of the second solver about steps
	openDecidedByThem int
}

func (r *auditor) tell(out io.Writer) {
	fmt.Fprintf(out, "verdicts        %d the same\n", r.same)
	fmt.Fprintf(out, "contradictions  %d with a proof that holds, %d without one\n", r.steps-r.open, r.open)
	if r.second != nil {
		fmt.Fprintf(out, "%-15s agrees on %d, does not decide %d; of those without a proof it decides %d\n", r.second.Name, r.agree, r.undecided, r.openDecidedByThem)
	}
	fmt.Fprintf(out, "disagreements   %d\n", r.wrong)
}

// proof makes one proof again. An error is of the audit, not of the proof.
func (r *auditor) proof(ctx context.Context, out io.Writer, p audit.Proof) error {
	slice, err := cas.ReadBlob(ctx, r.store, p.Slice, p.Slice.Size)
	if err != nil {
		return err
	}
	cached, err := cas.ReadBlob(ctx, r.store, p.Verdict, verdict.MaxBytes)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(r.dir, "proof")
	if err != nil {
		return fmt.Errorf("make a folder for a proof: %w", err)
	}
	defer os.RemoveAll(dir)
	evidence := filepath.Join(dir, "evidence")
	again, complaint, err := r.prove(ctx, dir, evidence, slice, p.Bounds)
	switch {
	case err != nil || complaint != "":
	case !bytes.Equal(again, cached):
		complaint = "another verdict"
	default:
		r.same++
		complaint, err = r.evidence(ctx, evidence)
	}
	if err == nil && complaint != "" {
		r.wrong++
		fmt.Fprintf(out, "%v: %s\n", p.Action, complaint)
	}
	return err
}

// prove returns the verdict, or what the engine complains of: it finds no
// evidence for what it said itself.
func (r *auditor) prove(ctx context.Context, dir, evidence string, slice []byte, bounds []string) (verdict []byte, complaint string, err error) {
	in, to := filepath.Join(dir, "slice.kvs"), filepath.Join(dir, "verdict.json")
	if err := os.WriteFile(in, slice, 0o600); err != nil {
		return nil, "", fmt.Errorf("write slice: %w", err)
	}
	argv := append([]string{"prove"}, bounds...)
	cmd := exec.CommandContext(ctx, r.engine, append(argv, "--certify", evidence, "--out", to, in)...)
	var exit *exec.ExitError
	said, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	case errors.As(err, &exit):
		return nil, fmt.Sprintf("kvengine: %v: %s", err, bytes.TrimSpace(said)), nil
	case err != nil:
		return nil, "", fmt.Errorf("run kvengine: %w", err)
	}
	b, err := os.ReadFile(to)
	if err != nil {
		return nil, "", fmt.Errorf("read verdict: %w", err)
	}
	return b, "", nil
}

// evidence checks the certificate of a proof and asks the second solver about
// its steps. It returns what does not stand, "" if all does.
func (r *auditor) evidence(ctx context.Context, dir string) (string, error) {
	x, err := certificate.Check(dir)
	if err != nil {
		return err.Error(), nil
	}
	r.steps += len(x.Steps)
	r.open += len(x.Open())
	if r.second == nil {
		return "", nil
	}
	for _, step := range x.Steps {
		query, err := os.ReadFile(filepath.Join(dir, step.Name+".smt2"))
		if err != nil {
			return "", fmt.Errorf("read query: %w", err)
		}
		switch a, err := r.ask(ctx, query); {
		case err != nil:
			return "", err
		case a == smt.Sat:
			return fmt.Sprintf("step %s: %s has a model", step.Name, r.second.Name), nil
		case a == smt.Unknown:
			r.undecided++
			continue
		case !step.Proved:
			r.openDecidedByThem++
		}
		r.agree++
	}
	return "", nil
}

// patience is how long the second solver may take for a query. No verdict rests
// on its answer, only how many it has one for.
const patience = 5 * time.Second

// ask has one query decided; Unknown is that it takes too long.
func (r *auditor) ask(ctx context.Context, query []byte) (smt.Result, error) {
	short, stop := context.WithTimeout(ctx, patience)
	defer stop()
	a, err := r.second.Ask(short, [][]byte{query})
	if short.Err() != nil && ctx.Err() == nil {
		return smt.Unknown, nil
	}
	if err != nil {
		return smt.Unknown, err
	}
	return a[0], nil
}
