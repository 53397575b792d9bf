package check_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/smt/linear"
	"github.com/kvfarm/kvfarm/engine/smt/opinion"
)

// recorder keeps the queries of runs with their answers, each once.
type recorder struct {
	t       *testing.T
	seen    map[string]bool
	queries [][]byte
	answers []smt.Result
	left    map[string]int // queries that are left out, by why
}

// maxQuery bounds a query in bytes of SMT-LIB.
const maxQuery = 32 << 10

// query keeps a query, if it may be asked.
func (r *recorder) query(b *expr.Builder, conds []expr.Expr, answer smt.Result) {
	var text bytes.Buffer
	if err := b.WriteSMTLIB(&text, conds); err != nil {
		r.t.Fatal(err)
	}
	if known := r.seen[text.String()]; !known && (os.Getenv("KVFARM_CI") != "" || len(r.seen)%atHome == 0) {
		if why := tooMuch(b, conds, answer, text.Len()); why != "" {
			r.left[why]++
		} else {
			r.queries, r.answers = append(r.queries, text.Bytes()), append(r.answers, answer)
		}
	}
	r.seen[text.String()] = true
}

// tooMuch says why a query is left out, "" if it is not: other solvers may take for ever over products and
// divisions of wide unknowns, and over what is very large.
func tooMuch(b *expr.Builder, conds []expr.Expr, answer smt.Result, size int) string {
	switch {
	case answer == smt.Unknown:
		return "open here too"
	case size > maxQuery:
		return "large"
	case linear.NewGauge(b).Measure(conds) != linear.Easy:
		return "products or divisions"
	}
	return ""
}

// atHome is the part of the queries that are asked outside of CI: all of them
// take z3 a minute.
const atHome = 16

// Of this many queries at most one is left out.
const mostLeft = 8

// TestCorpusSecondOpinion has another solver decide the queries that the corpus
// asks.
func TestCorpusSecondOpinion(t *testing.T) {
	t.Parallel()
	second, err := opinion.Find("")
	if errors.Is(err, opinion.ErrNone) && os.Getenv("KVFARM_CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{t: t, seen: map[string]bool{}, left: map[string]int{}}
	for _, p := range programs(t) {
		cfg := p.cfg
		cfg.Watch = r.query
		if _, err := check.Prove(p.slice, cfg); err != nil {
			t.Fatal(err)
		}
	}
	compiled, err := filepath.Glob("../testdata/rustc/*.kvs")
	if err != nil || len(compiled) == 0 {
		t.Fatalf("no compiled slices: %v", err)
	}
	for _, f := range compiled {
		if _, err := check.Prove(readProgram(t, f).slice, exec.Config{Budget: 300_000, Watch: r.query}); err != nil {
			t.Fatal(err)
		}
	}
	want, err := second.Ask(t.Context(), r.queries)
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, n := range r.left {
		left += n
	}
	t.Logf("%s decides %d queries; %d are left out: %v", second.Name, len(want), left, r.left)
	if left*mostLeft > left+len(want) {
		t.Errorf("more than 1 of %d queries is left out: %v of %d", mostLeft, r.left, left+len(want))
	}
	for i, w := range want {
		if w != r.answers[i] {
			t.Errorf("%v, %s says %v:\n%s", r.answers[i], second.Name, w, r.queries[i])
		}
	}
}
