package sandbox_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/executor/sandbox"
)

// TestSettle holds that a folder looks as the command left its input root, and
// that what shares files with it by hard links does not change.
func TestSettle(t *testing.T) {
	for name, act := range map[string][]string{
		"nothing":          {"nothing"},
		"new files":        {"write", "out", "made", ",", "mkdir", "o/p", ",", "write", "o/p/q", "deep"},
		"changed files":    {"append", "in/a", " and more", ",", "write", "in/b", ""},
		"mode":             {"chmod", "in/a"},
		"gone":             {"remove", "in/a"},
		"all gone":         {"remove", "in"},
		"folder anew":      {"remove", "in", ",", "mkdir", "in", ",", "write", "in/c", "c"},
		"folder to file":   {"remove", "in", ",", "write", "in", "file"},
		"file to folder":   {"remove", "in/a", ",", "mkdir", "in/a/b"},
		"links":            {"symlink", "nowhere", "dangling", ",", "remove", "in/a", ",", "symlink", "b", "in/a", ",", "link", "in/b", "in/c"},
		"renamed file":     {"rename", "in/a", "in/c"},
		"new folder moved": {"mkdir", "new/er", ",", "write", "new/er/f", "f", ",", "rename", "new", "newer"},
		"pipe":             {"fifo", "pipe"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, sandbox.Config{})
			shared := filepath.Join(t.TempDir(), "shared")
			if err := os.Link(filepath.Join(s.layer, "in/a"), shared); err != nil {
				t.Fatal(err)
			}
			spec := s.spec(append([]string{"sequence"}, act...)...)
			spec.Settles = true
			r := s.run(t, spec)
			if r.ExitCode != 0 {
				t.Fatalf("%s", r.Stderr.Bytes())
			}
			want := look(t, r.Inputs.FS())
			if err := r.Settle(s.layer, 1<<20); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, look(t, os.DirFS(s.layer))); diff != "" {
				t.Errorf("(-as the command left it +settled)\n%s", diff)
			}
			if b, err := os.ReadFile(shared); err != nil || string(b) != "in/a" {
				t.Errorf("a file with the same inode became %q, %v", b, err)
			}
		})
	}
}

// look describes everything in a folder.
func look(t *testing.T, root fs.FS) map[string]string {
	t.Helper()
	seen := map[string]string{}
	err := fs.WalkDir(root, ".", func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		is := info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			b, err := fs.ReadFile(root, at)
			if err != nil {
				return err
			}
			is += " " + string(b)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := fs.ReadLink(root, at)
			if err != nil {
				return err
			}
			is += " " + target
		}
		seen[at] = is
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestSettleLimit(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	spec := s.spec("sparse", "big", "1")
	spec.Settles = true
	r := s.run(t, spec)
	if err := r.Settle(s.layer, 1<<20); !errors.Is(err, sandbox.ErrTooMuch) {
		t.Errorf("1 GiB settles within 1 MiB: %v", err)
	}
}

func TestSettleRefused(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	r := s.run(t, s.spec("nothing"))
	if err := r.Settle(s.layer, 1<<20); err == nil {
		t.Error("changes that nobody asked for are settled")
	}
	copying := newScene(t, sandbox.Config{Copy: true})
	spec := copying.spec("nothing")
	spec.Settles = true
	if r, err := copying.host.Run(context.Background(), spec); err == nil {
		r.Close()
		t.Error("changes to copied inputs are kept apart")
	}
}
