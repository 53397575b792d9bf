package worker_test

//lint:file-ignore SA1019 clients of v2.0 use these fields

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/queue"
)

// makeOutputs leaves a file, a program, a link, a dangling one, an empty folder
// and nested ones.
var makeOutputs = []string{"sequence",
	"write", "out/a", "hello", ",", "write", "out/tool", "tool", ",", "chmod", "out/tool", ",",
	"symlink", "a", "out/link", ",", "symlink", "/nowhere", "out/dangling", ",",
	"mkdir", "out/empty", ",", "mkdir", "out/d/e", ",", "write", "out/d/e/f", "deep"}

func TestOutputs(t *testing.T) {
	for _, by := range digest.Functions() {
		t.Run(by.String(), func(t *testing.T) { testOutputs(t, newFarmWith(t, queue.Config{}, func(f *farm) { f.by = by })) })
	}
}

func testOutputs(t *testing.T, f *farm) {
	everything := map[string]string{
		"a": "hello", "tool": "*tool", "link": "->a", "dangling": "->/nowhere", "empty/": "", "d/e/f": "deep",
	}
	for _, c := range []struct {
		name   string
		change func(*repb.Command)
		want   map[string]string
	}{
		{"files", func(c *repb.Command) { c.OutputPaths = []string{"out/a", "out/tool", "out/absent", "absent/too"} },
			map[string]string{"out/a": "hello", "out/tool": "*tool"}},
		{"links", func(c *repb.Command) { c.OutputPaths = []string{"out/link", "out/dangling"} },
			map[string]string{"out/link": "->a", "out/dangling": "->/nowhere"}},
		{"folder", func(c *repb.Command) { c.OutputPaths = []string{"out"} }, under("out", everything)},
		{"folder and what is in it", func(c *repb.Command) { c.OutputPaths = []string{"out/d", "out/d/e/f"} },
			map[string]string{"out/d/e/f": "deep"}},
		{"the working directory", func(c *repb.Command) { c.OutputDirectories = []string{""} }, under("out", everything)},
		{"clean paths", func(c *repb.Command) { c.OutputPaths = []string{"./out/../out/a"} },
			map[string]string{"./out/../out/a": "hello"}},
		{"outside of the working directory", func(c *repb.Command) {
			c.WorkingDirectory = "sub"
			c.OutputPaths = []string{"../top/made", "out/a"}
		}, map[string]string{"out/a": "hello"}},
		{"fields of v2.0", func(c *repb.Command) {
			c.OutputFiles = []string{"out/a", "out/link"}
			c.OutputDirectories = []string{"out/d", "out/dangling"}
		}, map[string]string{"out/a": "hello", "out/link": "->a", "out/d/e/f": "deep", "out/dangling": "->/nowhere"}},
		{"output_paths overrides those", func(c *repb.Command) {
			c.OutputPaths = []string{"out/a"}
			c.OutputFiles = []string{"out/tool"}
			c.OutputDirectories = []string{"out/d"}
		}, map[string]string{"out/a": "hello"}},
		{"folder as directories", func(c *repb.Command) {
			c.OutputPaths = []string{"out"}
			c.OutputDirectoryFormat = repb.Command_DIRECTORY_ONLY
		}, under("out", everything)},
		{"folder as both", func(c *repb.Command) {
			c.OutputPaths = []string{"out"}
			c.OutputDirectoryFormat = repb.Command_TREE_AND_DIRECTORY
		}, under("out", everything)},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := act(makeOutputs...)
			a.inputs = map[string]string{"out/present": "", "sub/out/present": "", "unrelated": ""}
			a.Arguments = append(a.Arguments, ",", "remove", "out/present", ",", "remove", "../x/unrelated", ",", "remove", "../x/sub")
			if c.name == "outside of the working directory" {
				a.Arguments = a.Arguments[:len(a.Arguments)-9]
			}
			c.change(a.Command)
			o := f.run(t, a)
			if o.Failure != nil || o.Result.ExitCode != 0 {
				t.Fatalf("%v, %v", o.Failure, o.Result)
			}
			if diff := cmp.Diff(c.want, f.outputs(t, o.Result)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func under(dir string, files map[string]string) map[string]string {
	out := map[string]string{}
	for name, content := range files {
		out[dir+"/"+name] = content
	}
	return out
}

// outputs returns what r names: contents, "*" before those of programs, "->"
// before the target of links.
func (f *farm) outputs(t *testing.T, r *repb.ActionResult) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, o := range r.OutputFiles {
		out[o.Path] = f.content(t, o.Digest, o.IsExecutable)
	}
	for _, o := range r.OutputSymlinks {
		out[o.Path] = "->" + o.Target
	}
	for _, o := range r.OutputDirectories {
		if o.TreeDigest != nil {
			maps.Copy(out, f.tree20(t, o))
		}
		if o.RootDirectoryDigest != nil {
			d, err := f.by.FromProto(o.RootDirectoryDigest)
			if err != nil {
				t.Fatal(err)
			}
			files, err := tree.Load(t.Context(), f.store, d, tree.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(out, f.contents(t, o.Path, files))
		}
	}
	return out
}

// tree20 reads a Tree message: it holds each folder once, parents first.
func (f *farm) tree20(t *testing.T, o *repb.OutputDirectory) map[string]string {
	t.Helper()
	msg := &repb.Tree{}
	if err := proto.Unmarshal([]byte(f.content(t, o.TreeDigest, false)), msg); err != nil {
		t.Fatal(err)
	}
	for _, dir := range append(msg.Children, msg.Root) {
		f.message(t, dir)
	}
	files, err := tree.Load(t.Context(), f.store, f.message(t, msg.Root), tree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return f.contents(t, o.Path, files)
}

func (f *farm) contents(t *testing.T, dir string, files tree.Files) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, e := range files {
		if dir != "" {
			name = dir + "/" + name
		}
		switch e.Kind {
		case tree.File:
			out[name] = f.content(t, e.Digest.Proto(), e.Exec)
		case tree.Symlink:
			out[name] = "->" + e.Target
		case tree.Dir:
			out[name+"/"] = ""
		}
	}
	return out
}

func (f *farm) content(t *testing.T, p *repb.Digest, exec bool) string {
	t.Helper()
	d, err := f.by.FromProto(p)
	if err != nil {
		t.Fatal(err)
	}
	b, err := cas.ReadBlob(t.Context(), f.store, d, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if exec {
		return "*" + string(b)
	}
	return string(b)
}

func TestLinksForOldClients(t *testing.T) {
	f := newFarm(t)
	a := act(makeOutputs...)
	a.inputs = map[string]string{"out/present": ""}
	a.OutputFiles = []string{"out/link"}
	a.OutputDirectories = []string{"out/dangling"}
	r := f.run(t, a).Result
	if len(r.OutputFileSymlinks) != 1 || r.OutputFileSymlinks[0].Path != "out/link" {
		t.Errorf("output_file_symlinks: %v", r.OutputFileSymlinks)
	}
	if len(r.OutputDirectorySymlinks) != 1 || r.OutputDirectorySymlinks[0].Path != "out/dangling" {
		t.Errorf("output_directory_symlinks: %v", r.OutputDirectorySymlinks)
	}
}

func TestLargeOutputs(t *testing.T) {
	for _, by := range digest.Functions() {
		t.Run(by.String(), func(t *testing.T) { testLargeOutputs(t, newFarmWith(t, queue.Config{}, func(f *farm) { f.by = by })) })
	}
}

func testLargeOutputs(t *testing.T, f *farm) {
	a := act("sequence", "fill", "big", "5", ",", "files", ".", "3000", ",", "spam", "100000")
	a.OutputPaths = []string{""}
	r := f.run(t, a).Result
	if got := f.content(t, r.StdoutDigest, false); len(got) != 100000 || len(r.StdoutRaw) != 0 {
		t.Errorf("stdout has %d bytes", len(got))
	}
	got := f.outputs(t, r)
	if len(got["big"]) != 5<<20 || len(got) != 3001 {
		t.Errorf("%d outputs, %d bytes of big", len(got), len(got["big"]))
	}
}

// TestHostileOutputs has commands leave what is no file, or leads elsewhere.
func TestHostileOutputs(t *testing.T) {
	f := newFarm(t)
	for _, c := range []struct {
		name    string
		act     []string
		outputs []string
		reason  string // empty: it is left out
	}{
		{"pipe", []string{"fifo", "o"}, []string{"o"}, "neither file"},
		{"pipe in a folder", []string{"sequence", "mkdir", "d", ",", "fifo", "d/o"}, []string{"d"}, "neither file"},
		{"socket", []string{"socket", "o"}, []string{"o"}, "neither file"},
		{"folder that is a link to the root", []string{"sequence", "remove", "d", ",", "symlink", "/", "d"}, []string{"d/etc/passwd"}, "path escapes"},
		{"folder that is a link upwards", []string{"sequence", "remove", "d", ",", "symlink", "../../..", "d"}, []string{"d/etc/passwd"}, "path escapes"},
		{"folder that is a link to /proc", []string{"sequence", "remove", "d", ",", "symlink", "/proc/self", "d"}, []string{"d/environ"}, "path escapes"},
		{"name that is no UTF-8", []string{"sequence", "mkdir", "d", ",", "oddname", "d"}, []string{"d"}, "UTF-8"},
		{"target that is no UTF-8", []string{"oddlink", "o"}, []string{"o"}, "UTF-8"},
		{"very deep folders", []string{"deep", "d", "600"}, []string{"d"}, "deeper than the limit"},
		{"large file that is not there", []string{"sparse", "o", "2"}, []string{"o"}, "limit of bytes"},
		{"many names of a large file", []string{"sequence", "fill", "o", "30", ",", "mkdir", "d", ",", "links", "o", "d", "4"}, []string{"d"}, "limit of bytes"},
		{"absolute output", []string{"nothing"}, []string{"/etc/passwd"}, "not inside"},
		{"output above", []string{"nothing"}, []string{"../etc/passwd"}, "not inside"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := act(c.act...)
			a.OutputPaths = c.outputs
			o := f.run(t, a)
			if o.Failure == nil || o.Failure.Kind != queue.Invalid || !strings.Contains(o.Failure.Reason, c.reason) {
				t.Errorf("failure is %v, want invalid: %s; result %v", o.Failure, c.reason, o.Result)
			}
		})
	}
	if names := slices.Collect(maps.Keys(f.outputs(t, f.run(t, act("nothing")).Result))); len(names) != 0 {
		t.Errorf("outputs nobody asked for: %v", names)
	}
}

// TestOddNames: what is allowed comes back as it was.
func TestOddNames(t *testing.T) {
	f := newFarm(t)
	a := act("sequence", "mkdir", "d", ",", "names", "d")
	a.OutputPaths = []string{"d"}
	got := f.outputs(t, f.run(t, a).Result)
	for _, name := range []string{"a\nb", "\x1b[2J", "-rf", "a\\b", "a:b,c", "\u202e", " ", "...", strings.Repeat("n", 255)} {
		if got["d/"+name] != name {
			t.Errorf("%q holds %q", name, got["d/"+name])
		}
	}
	if len(got) != 9 {
		t.Errorf("%d outputs: %q", len(got), got)
	}
}

// TestOutputThatNobodyMayRead: a worker that is not root cannot, and says whose
// fault that is.
func TestOutputThatNobodyMayRead(t *testing.T) {
	f := newFarm(t)
	for _, acts := range [][]string{
		{"sequence", "mkdir", "d", ",", "write", "d/o", "x", ",", "lock", "d/o"},
		{"sequence", "mkdir", "d", ",", "write", "d/o", "x", ",", "lock", "d"},
	} {
		a := act(acts...)
		a.OutputPaths = []string{"d"}
		o := f.run(t, a)
		if os.Getuid() == 0 {
			if diff := cmp.Diff(map[string]string{"d/o": "x"}, f.outputs(t, o.Result)); diff != "" {
				t.Errorf("%q: (-want +got)\n%s", acts, diff)
			}
		} else if o.Failure == nil || o.Failure.Kind != queue.Invalid || !strings.Contains(o.Failure.Reason, "cannot be read") {
			t.Errorf("%q: failure is %v", acts, o.Failure)
		}
	}
}

// TestCutOutput says so, for people.
func TestCutOutput(t *testing.T) {
	o := newFarm(t).run(t, act("spam", "100000000"))
	if want := "stdout is cut: kept 8388608 of 100000000 bytes."; !strings.Contains(o.Message, want) || o.Result.StdoutDigest.GetSizeBytes() != 8<<20 {
		t.Errorf("message %q, want %q; result %v", o.Message, want, o.Result)
	}
}
