package plan_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/kbuild/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	log    = "testdata/linux-7.2.plan" // of a real plan, with fewer crates and headers
	golden = "testdata/linux-7.2.golden"
	bin    = "/x/kvfarm/bin/"
)

func parse(t *testing.T, name string) ([]*plan.Crate, []*plan.Step) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	commands, err := plan.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	crates, err := plan.Crates(commands, bin+"rustc")
	if err != nil {
		t.Fatal(err)
	}
	return crates, plan.Steps(commands, bin)
}

func TestPlanOfLinux(t *testing.T) {
	crates, steps := parse(t, log)
	var b strings.Builder
	for _, c := range crates {
		k := c.Compile(plan.Verify, "/x")
		fmt.Fprintf(&b, "crate %s role %d\n\tpath %s\n\texterns %s\n", c.Name, c.Role, c.Path, strings.Join(c.Externs, " "))
		for _, name := range slices.Sorted(maps.Keys(c.Env)) {
			fmt.Fprintf(&b, "\tenv %s=%s\n", name, c.Env[name])
		}
		fmt.Fprintf(&b, "\toutputs %s\n", strings.Join(k.Outputs(), " "))
		for _, arg := range k.Argv {
			fmt.Fprintf(&b, "\t\t%s\n", arg)
		}
	}
	for _, s := range steps {
		fmt.Fprintf(&b, "%s %s\n\tdeps %s\n\t%s\n", s.Kind, s.Target, strings.Join(s.Deps, " "), s.Script)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("plan (-want +got):\n%s", d)
	}
}

func TestTypesDiffersInDebugInfoAlone(t *testing.T) {
	crates, _ := parse(t, log)
	for _, c := range crates {
		if c.Role < plan.Library {
			continue
		}
		verify, types := c.Compile(plan.Verify, "/x"), c.Compile(plan.Types, "/x")
		if types.Metadata != "" {
			t.Errorf("%s: Types leaves metadata, which Verify's dependents would mistake for theirs", c.Name)
		}
		var changed []string
		for _, a := range verify.Argv {
			if !slices.Contains(types.Argv, a) && !strings.HasPrefix(a, "--emit=") {
				changed = append(changed, a)
			}
		}
		if d := cmp.Diff([]string{"-Cdebuginfo=1"}, changed); d != "" {
			t.Errorf("%s: arguments that Types lacks (-want +got):\n%s", c.Name, d)
		}
	}
}

func TestLike(t *testing.T) {
	crates, _ := parse(t, log)
	i := slices.IndexFunc(crates, func(c *plan.Crate) bool { return c.Role == plan.Driver })
	c := crates[i].Like("mine", "kvfarm/checks/mine/lib.rs")
	k := c.Compile(plan.Verify, "/x")
	if k.Bitcode != "kvfarm/checks/mine/mine.bc" || k.Argv[len(k.Argv)-1] != "../kvfarm/checks/mine/lib.rs" ||
		!slices.Contains(k.Argv, "--crate-name=mine") {
		t.Errorf("compilation of a crate like a driver = %+v", k)
	}
	if crates[i].Name == "mine" {
		t.Error("the driver was changed")
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, log, want string }{
		{"two commands", "savedcmd_a := x\nsavedcmd_a := y\n", "line 2: second command for a"},
		{"nothing to run", "savedcmd_a := V=1\n", "no command for a"},
		{"open quote", "savedcmd_a := x 'y\n", "quote is not closed"},
		{"expansion", "savedcmd_a := x $$HOME\n", "more shell"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := plan.Parse([]byte(tt.log)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestCratesRefuses(t *testing.T) {
	tests := []struct{ name, command, want string }{
		{"no source", "rustc --crate-type rlib", "names no source"},
		{"program", "rustc --crate-type bin a.rs", `crate type "bin"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			commands, err := plan.Parse([]byte("savedcmd_a.o := " + bin + tt.command + "\n"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := plan.Crates(commands, bin+"rustc"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	tests := []struct {
		line string
		env  map[string]string
		argv []string
	}{
		{"a b", nil, []string{"a", "b"}},
		{"  A=1 B='2 3'  a ", map[string]string{"A": "1", "B": "2 3"}, []string{"a"}},
		{`a 'b c' "d e" f\ g`, nil, []string{"a", "b c", "d e", "f g"}},
		{`a -D'"x"' "\"y\"" "\z"`, nil, []string{"a", `-D"x"`, `"y"`, `\z`}},
		{"a ''", nil, []string{"a", ""}},
		{"a; b", nil, []string{"a"}},
		{"a | b >c", nil, []string{"a"}},
		{"a $(pound)b", nil, []string{"a", "#b"}},
		{"a --x=y", nil, []string{"a", "--x=y"}},
	}
	for _, tt := range tests {
		commands, err := plan.Parse([]byte("savedcmd_t := " + tt.line + "\n"))
		if err != nil {
			t.Errorf("%q: %v", tt.line, err)
			continue
		}
		if tt.env == nil {
			tt.env = map[string]string{}
		}
		if d := cmp.Diff(tt.env, commands[0].Env) + cmp.Diff(tt.argv, commands[0].Argv); d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.line, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile(log)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("savedcmd_a := 'b\\"))
	f.Fuzz(func(t *testing.T, b []byte) {
		commands, err := plan.Parse(b)
		if err != nil {
			return
		}
		for _, c := range commands {
			if len(c.Argv) == 0 {
				t.Errorf("%s has no command", c.Target)
			}
		}
		if crates, err := plan.Crates(commands, bin+"rustc"); err == nil {
			for _, c := range crates {
				c.Compile(plan.Verify, "/x")
			}
		}
		plan.Steps(commands, bin)
	})
}
