package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

var update = flag.Bool("update", false, "rewrite the wanted parts of testdata")

// archive is a testdata file: "NAME.proof" parts hold a proof in JSON, "NAME.owners"
// parts the owners of a crate's locations, "NAME.context" how one of them is called, "NAME.panics" parts the panic calls in its code, after the proofs, "NAME.elsewhere" those that were not asked for; "remains" is what LLVM leaves of them; "before/PART" parts make the report that is compared with; "src/PATH" parts are the tree, "waivers" is a waiver file; "want.txt" is the report, "want.results" are
// the results in its SARIF, and "want.status" the exit status.
type archive struct{ *txtar.Archive }

func (a archive) part(name string) []byte {
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

// before is the archive of the parts under before/.
func (a archive) before() archive {
	var old txtar.Archive
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, "before/"); ok {
			old.Files = append(old.Files, txtar.File{Name: name, Data: f.Data})
		}
	}
	return archive{&old}
}

// Line implements report.Source.
func (a archive) Line(file string, n int) (string, bool) {
	lines := strings.Split(string(a.part("src/"+file)), "\n")
	if n < 1 || n >= len(lines) {
		return "", false
	}
	return lines[n-1], true
}

// proof is the JSON form of a report.Proof in testdata.
type proof struct {
	Root      position.Root
	Crate     string
	Cached    bool
	Whole     bool
	Outer     bool
	Verdict   verdict.Verdict
	Positions struct {
		position.Map
		Insts []position.Inst
	}
}

func (p *proof) positions() *position.Map {
	m := p.Positions.Map
	m.Insts = position.NewFrames(p.Positions.Insts)
	return &m
}

func (a archive) report(t *testing.T) *pb.Report {
	t.Helper()
	waivers, err := report.ReadWaivers("waivers", bytes.NewReader(a.part("waivers")))
	if err != nil {
		t.Fatal(err)
	}
	b := report.NewBuilder(&pb.Tree{Version: "7.2.12", Arch: "x86_64"}, a, waivers)
	for _, f := range a.Files {
		if strings.HasSuffix(f.Name, ".owners") {
			addOwners(t, b, f.Data)
		}
		if strings.HasSuffix(f.Name, ".panics") {
			addPanics(t, b.AddPanics, f.Data)
		}
		if strings.HasSuffix(f.Name, ".context") {
			addContext(t, b, f.Data)
		}
		if strings.HasSuffix(f.Name, ".elsewhere") {
			addPanics(t, b.AddElsewhere, f.Data)
		}
		if f.Name == "remains" {
			addRemains(t, b, f.Data)
		}
		if !strings.HasSuffix(f.Name, ".proof") || strings.HasPrefix(f.Name, "before/") {
			continue
		}
		var p proof
		if err := json.Unmarshal(f.Data, &p); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		b.AddProof(&report.Proof{
			Root: p.Root, Crate: p.Crate, Cached: p.Cached, Whole: p.Whole, Outer: p.Outer, Slice: digest.Of(f.Data),
			Verdict: &p.Verdict, Positions: p.positions(), Witness: []string{"witness/0.json"},
		})
		a := pb.Action{Kind: "prove", Name: p.Root.Name, Digest: digest.Of(f.Data).String(), Cached: p.Cached, CpuSeconds: 1.5}
		b.AddAction(&a)
		if !p.Cached { // another crate asks for the same
			b.AddAction(&pb.Action{Kind: a.Kind, Name: "again", Digest: a.Digest, Cached: true, CpuSeconds: 1.5})
		}
	}
	return b.Report(2)
}

func addOwners(t *testing.T, b *report.Builder, text []byte) {
	t.Helper()
	var o struct {
		Crate  string
		Owners []report.Owner
	}
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	b.AddOwners(o.Crate, o.Owners)
}

func addContext(t *testing.T, b *report.Builder, text []byte) {
	t.Helper()
	var c struct {
		Crate, Symbol string
		Partial       bool
		Calls         []proof
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	called := report.Context{Crate: c.Crate, Symbol: c.Symbol, Partial: c.Partial}
	for _, p := range c.Calls {
		called.Calls = append(called.Calls, &report.Proof{Root: p.Root, Crate: c.Crate, Verdict: &p.Verdict, Positions: p.positions()})
	}
	b.AddContext(called)
}

func addPanics(t *testing.T, add func(crate string, panics []position.Panic), text []byte) {
	t.Helper()
	var p struct {
		Crate  string
		Panics []position.Panic
	}
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	add(p.Crate, p.Panics)
}

func addRemains(t *testing.T, b *report.Builder, text []byte) {
	t.Helper()
	var p []position.Panic
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	b.AddRemains(p)
}

func TestReports(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			parsed, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := archive{parsed}
			r := a.report(t)
			if old := a.before(); len(old.Files) > 0 {
				r.Against = report.Compare(old.report(t), r, "before.json")
			}
			var text bytes.Buffer
			report.Text(&text, r, "out")
			a.compare(t, file, "want.txt", text.String())
			if a.part("want.brief") != nil {
				var brief bytes.Buffer
				report.Brief(&brief, r, "out")
				a.compare(t, file, "want.brief", brief.String())
			}
			found := results(t, r)
			if a.part("want.results") != nil {
				a.compare(t, file, "want.results", found)
			}
			a.compare(t, file, "want.status", fmt.Sprintln(report.ExitStatus(r)))
		})
	}
}

func (a archive) compare(t *testing.T, file, part, got string) {
	t.Helper()
	if *update {
		for i := range a.Files {
			if a.Files[i].Name == part {
				a.Files[i].Data = []byte(got)
			}
		}
		if err := os.WriteFile(file, txtar.Format(a.Archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(string(a.part(part)), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", part, d)
	}
}

func TestReadWaiversRefusesSilence(t *testing.T) {
	for _, line := range []string{"bounds drivers/a.rs root", "bounds drivers/a.rs # why", "bounds [ * # why"} {
		if _, err := report.ReadWaivers("w", strings.NewReader("\n# note\n"+line)); err == nil || !strings.HasPrefix(err.Error(), "w:3: ") {
			t.Errorf("ReadWaivers(%q) = %v, want an error at w:3", line, err)
		}
	}
}

func TestFilesRoundTrip(t *testing.T) {
	parsed, err := txtar.ParseFile("testdata/refuted.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new", "report")
	r := archive{parsed}.report(t)
	if err := report.Write(dir, r); err != nil {
		t.Fatal(err)
	}
	back, err := report.Read(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := report.JSON(r)
	b, _ := report.JSON(back)
	if d := cmp.Diff(string(a), string(b)); d != "" {
		t.Errorf("report changed on its way through a file (-wrote +read):\n%s", d)
	}
}

// Tools may say anything, and bitcode may come without positions.
func TestReportsWithoutTextOrPlace(t *testing.T) {
	b := report.NewBuilder(&pb.Tree{Targets: []string{"a.ll"}}, report.NewFiles(nil), nil)
	b.AddError(fmt.Errorf("llvm-as: \xff\xfe"))
	r := b.Report(1)
	if _, err := report.JSON(r); err != nil {
		t.Error(err)
	}
	var text bytes.Buffer
	report.Failure(&text, &pb.Site{Kind: "div_zero", Function: "check"}, "")
	if strings.Contains(text.String(), "-->") || !strings.Contains(text.String(), "in: check\n") {
		t.Errorf("a failure without a place:\n%s", &text)
	}
}

func TestFilesAreSources(t *testing.T) {
	s := report.NewFiles(map[string][]byte{"a.rs": []byte("one\ntwo\n")})
	for _, tt := range []struct {
		file string
		line int
		want string
	}{{"a.rs", 2, "two"}, {"a.rs", 3, ""}, {"a.rs", 0, ""}, {"b.rs", 1, ""}} {
		if got, _ := s.Line(tt.file, tt.line); got != tt.want {
			t.Errorf("%s:%d is %q, want %q", tt.file, tt.line, got, tt.want)
		}
	}
}

// A tree, and the standard library of a toolchain, and nothing else on the machine.
func TestDirIsASource(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"tree/a.rs": "tree", "root/usr/lib/rustlib/src/rust/library/core/a.rs": "core", "root/etc/a.rs": "etc", "a.rs": "outside"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	with := report.NewDir(filepath.Join(dir, "tree"), filepath.Join(dir, "root"), nil)
	without := report.NewDir(filepath.Join(dir, "tree"), "", nil)
	const core = "/usr/lib/rustlib/src/rust/library/core/a.rs"
	for _, tt := range []struct {
		from       *report.Lines
		file, want string
	}{
		{with, "a.rs", "tree"}, {with, core, "core"}, {without, "a.rs", "tree"}, {without, core, ""},
		{with, "../a.rs", ""}, {with, "/usr/lib/rustlib/src/../../../../etc/a.rs", ""}, {with, filepath.Join(dir, "a.rs"), ""},
		{with, "/usr/lib/rustlib/src/rust/none.rs", ""},
	} {
		if got, _ := tt.from.Line(tt.file, 1); got != tt.want {
			t.Errorf("%s is %q, want %q", tt.file, got, tt.want)
		}
	}
}

// A report of an older kvfarm has no texts of lines: its checks are known by their places.
func TestCompareWithoutTexts(t *testing.T) {
	old := &pb.Report{Tree: &pb.Tree{}, Sites: []*pb.Site{{Kind: "bounds", File: "a.rs", Line: 2, Column: 1, Verdict: pb.Verdict_REFUTED}}}
	now := &pb.Report{Tree: &pb.Tree{}, Sites: []*pb.Site{{Kind: "bounds", File: "a.rs", Line: 2, Column: 1, Verdict: pb.Verdict_REFUTED, Text: "b[0];"}}}
	if c := report.Compare(old, now, "old.json"); len(c.Worse)+len(c.Lost)+len(c.Better) > 0 || c.Gone > 0 {
		t.Errorf("the same check differs: %v", c)
	}
	if !report.Failing(old)(now.Sites[0]) {
		t.Error("a failure that is there too is not known")
	}
}
