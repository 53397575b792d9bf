package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// fakeEngine says VERDICT of every slice that it can find, with one open step.
const fakeEngine = `#!/bin/sh
while [ $# -gt 1 ]; do
	case $1 in
	--out) out=$2 ;;
	--certify) dir=$2 ;;
	esac
	shift
done
[ "$(cat "$1")" = slice ] || exit 2
mkdir "$dir"
echo '{"version":1,"queries":1,"unsat":1,"steps":[{"name":"00001","answers":1}]}' >"$dir/index.json"
echo query >"$dir/00001.smt2"
echo VERDICT >"$out"
`

// auditRig is a store with proofs by a fake engine.
type auditRig struct {
	t     *testing.T
	state string
	tools string
}

func newAuditRig(t *testing.T) *auditRig {
	r := &auditRig{t, t.TempDir(), t.TempDir()}
	r.script("kvengine", strings.ReplaceAll(fakeEngine, "VERDICT", "proved"))
	return r
}

func (r *auditRig) script(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.tools, name), []byte(text), 0o700); err != nil {
		r.t.Fatal(err)
	}
}

// cache puts a proof of engine into the store, as a farm does.
func (r *auditRig) cache(engine, slice, verdict string) {
	r.t.Helper()
	ctx := context.Background()
	s, err := openStore(ctx, r.state, slog.Default())
	if err != nil {
		r.t.Fatal(err)
	}
	defer s.Close()
	put := func(b []byte) digest.Digest {
		d, err := cas.PutBlob(ctx, s, b)
		if err != nil {
			r.t.Fatal(err)
		}
		return d
	}
	message := func(m proto.Message) digest.Digest {
		b, err := proto.Marshal(m)
		if err != nil {
			r.t.Fatal(err)
		}
		return put(b)
	}
	root, err := tree.Build(tree.Files{
		"kvengine":  {Kind: tree.File, Digest: put([]byte(engine)), Exec: true},
		"slice.kvs": {Kind: tree.File, Digest: put([]byte(slice))},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, b := range root.Dirs {
		put(b)
	}
	command := message(&repb.Command{Arguments: []string{"./kvengine", "prove", "--alone", "--of", "1,2", "--budget", "7", "--out", "verdict.json", "slice.kvs"}})
	action := message(&repb.Action{CommandDigest: command.Proto(), InputRootDigest: root.Root.Proto()})
	result := &repb.ActionResult{OutputFiles: []*repb.OutputFile{{Path: "verdict.json", Digest: put([]byte(verdict)).Proto()}}}
	if err := s.SetResult(ctx, action, result); err != nil {
		r.t.Fatal(err)
	}
}

func (r *auditRig) engine() string {
	b, err := os.ReadFile(filepath.Join(r.tools, "kvengine"))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// audit runs the command and returns what it prints and its error.
func (r *auditRig) audit(args ...string) (string, error) {
	c := newAudit()
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&out)
	c.SetArgs(append([]string{"--state", r.state, "--tools", r.tools, "--solver", filepath.Join(r.tools, "z3")}, args...))
	err := c.ExecuteContext(context.Background())
	return out.String(), err
}

func TestAudit(t *testing.T) {
	for _, tt := range []struct {
		name    string
		slice   string
		verdict string
		z3      string
		exit    string
		says    []string
	}{
		{"agrees", "slice", "proved\n", "unsat", "<nil>", []string{"1 of 1 by this engine; 1 by others", "1 the same", "0 with a proof that holds, 1 without", "agrees on 1", "disagreements   0"}},
		{"undecided", "slice", "proved\n", "unknown", "<nil>", []string{"does not decide 1"}},
		{"other verdict", "slice", "refuted\n", "unsat", "exit status 1", []string{"another verdict", "disagreements   1"}},
		{"model", "slice", "proved\n", "sat", "exit status 1", []string{"step 00001: z3 has a model"}},
		{"engine fails", "other", "proved\n", "unsat", "exit status 1", []string{"kvengine: exit status 2"}},
		{"strange answer", "slice", "proved\n", "perhaps", `answer "perhaps"`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newAuditRig(t)
			r.script("z3", "#!/bin/sh\ncat >/dev/null\necho "+tt.z3+"\n")
			r.cache(r.engine(), tt.slice, tt.verdict)
			r.cache("another engine", "slice", "nonsense\n")
			out, err := r.audit()
			if got := fmt.Sprint(err); !strings.Contains(got, tt.exit) {
				t.Errorf("error %v, want %s\n%s", got, tt.exit, out)
			}
			for _, want := range tt.says {
				if !strings.Contains(out, want) {
					t.Errorf("does not say %q:\n%s", want, out)
				}
			}
		})
	}
}

// TestAuditSample: the sample is the same each time, and bounded.
func TestAuditSample(t *testing.T) {
	r := newAuditRig(t)
	r.script("z3", "#!/bin/sh\ncat >/dev/null\necho unsat\n")
	r.cache(r.engine(), "slice", "proved\n")
	r.cache(r.engine(), "other", "proved\n")
	first, _ := r.audit("--sample", "1")
	again, _ := r.audit("--sample", "1")
	if first != again || !strings.Contains(first, "1 of 2 by this engine") {
		t.Errorf("first:\n%sthen:\n%s", first, again)
	}
	if all, _ := r.audit("--all"); !strings.Contains(all, "2 of 2 by this engine") {
		t.Errorf("--all:\n%s", all)
	}
}

// TestAuditLost: a proof whose inputs are gone is counted, an asset or a list of
// chunks, which never had any, is not.
func TestAuditLost(t *testing.T) {
	r := newAuditRig(t)
	r.script("z3", "#!/bin/sh\ncat >/dev/null\necho unsat\n")
	ctx := context.Background()
	s, err := openStore(ctx, r.state, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	for action, path := range map[string]string{"gone": verdict.FileName, "asset": "file0", "chunks": ""} {
		d, err := cas.PutBlob(ctx, s, []byte("content"))
		if err != nil {
			t.Fatal(err)
		}
		result := &repb.ActionResult{OutputFiles: []*repb.OutputFile{{Path: path, Digest: d.Proto()}}}
		if err := s.SetResult(ctx, digest.Of([]byte(action)), result); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := r.audit(); err != nil || !strings.Contains(out, "0 by others, 1 without their inputs") {
		t.Errorf("%v\n%s", err, out)
	}
}
