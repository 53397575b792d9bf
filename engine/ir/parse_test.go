package ir_test

import (
	"bytes"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// sameSlice compares all but the names that are only for people.
var sameSlice = cmp.Options{
	cmpopts.IgnoreUnexported(ir.Inst{}), // text that is kept
	cmp.Comparer(func(a, b *big.Int) bool { return a == nil && b == nil || a != nil && b != nil && a.Cmp(b) == 0 }),
	cmpopts.IgnoreFields(ir.Func{}, "Name"),
	cmpopts.EquateEmpty(),
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files for %s: %v", pattern, err)
	}
	return names
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parsed reads a file that holds canonical text and checks that it prints the same.
func parsed(t *testing.T, name string) *ir.Slice {
	t.Helper()
	text := read(t, name)
	s, err := ir.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if diff := cmp.Diff(string(text), string(ir.Print(s))); diff != "" {
		t.Errorf("%s: text -want +got:\n%s", name, diff)
	}
	return s
}

func TestCanonicalTextRoundTrips(t *testing.T) {
	for _, name := range files(t, "testdata/canonical/*.kvs") {
		s := parsed(t, name)
		again, err := ir.Parse(ir.Print(s))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(s, again, sameSlice); diff != "" {
			t.Errorf("%s: slice -want +got:\n%s", name, diff)
		}
	}
}

// What an instruction has kept of its text is its text.
func TestKeptTextIsTheText(t *testing.T) {
	for _, name := range files(t, "testdata/canonical/*.kvs") {
		text := read(t, name)
		s, err := ir.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Funcs {
			for _, b := range f.Blocks {
				for _, in := range b.Insts {
					in.Keep()
				}
			}
		}
		if diff := cmp.Diff(string(text), string(ir.Print(s))); diff != "" {
			t.Errorf("%s: text -want +got:\n%s", name, diff)
		}
	}
}

func TestLoweredTextRoundTrips(t *testing.T) {
	for _, name := range append(files(t, "../testdata/rustc/*.kvs"), files(t, "../testdata/kernel/*.kvs")...) {
		parsed(t, name)
	}
}

func TestFreeTextPrintsCanonically(t *testing.T) {
	for _, name := range files(t, "testdata/free/*.kvs") {
		s, err := ir.Parse(read(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := read(t, strings.TrimSuffix(name, ".kvs")+".canonical")
		if diff := cmp.Diff(string(want), string(ir.Print(s))); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// The first line of a bad file is "; error: " and a part of the message.
func TestBadTextIsRefused(t *testing.T) {
	for _, name := range files(t, "testdata/bad/*.kvs") {
		text := read(t, name)
		line, _, _ := strings.Cut(string(text), "\n")
		want := strings.TrimPrefix(line, "; error: ")
		if _, err := ir.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/canonical/*.kvs", "testdata/free/*.kvs", "testdata/bad/*.kvs"} {
		for _, name := range files(f, pattern) {
			f.Add(read(f, name))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ir.Parse(text)
		if (s == nil) == (err == nil) {
			t.Fatalf("slice %v and error %v", s, err)
		}
		if err != nil {
			return
		}
		printed := ir.Print(s)
		again, err := ir.Parse(printed)
		if err != nil {
			t.Fatalf("parse of printed text: %v\n%s", err, printed)
		}
		if !bytes.Equal(printed, ir.Print(again)) {
			t.Fatalf("print is not stable:\n%s\n%s", printed, ir.Print(again))
		}
	})
}
