package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/cmd/kvlower/bitcode"
)

// asProgram is set in the environment of a process of the test binary that is to be kvlower.
const asProgram = "KVLOWER_AS_PROGRAM"

// The test binary stands in for kvlower where that starts itself, or is started by a test.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == readFlag || os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestBrokenBitcodeIsAnError(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "text": "fn main() {}", "magic": "BC\xc0\xde", "short": "BC\xc0\xde\x35\x14\x00\x00\x05\x00\x00\x00\x62\x0c\x30\x24",
	} {
		file := filepath.Join(dir, name+".bc")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		err := lower(job{files: []string{file}, out: filepath.Join(dir, "out")})
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		withoutLLVM := strings.Contains(err.Error(), bitcode.ErrNoLLVM.Error())
		if !withoutLLVM && !strings.Contains(err.Error(), file) {
			t.Errorf("%s: error does not name the file: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("output of a failed run: %v", err)
	}
}

// What does not go together is told before anything is read.
func TestUsage(t *testing.T) {
	out := t.TempDir()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{}, "no bitcode file"},
		{[]string{"--out", out}, "no bitcode file"},
		{[]string{"x.bc"}, "--out is missing"},
		{[]string{"--nonsense"}, "not defined: -nonsense"},
		{[]string{"--census"}, "no bitcode file"},
		{[]string{"--census", "--remains", "x.bc"}, "want one of them"},
		{[]string{"--census", "--checks", "x.bc"}, "are for slices"},
		{[]string{"--remains", "x.bc"}, "--out is missing"},
		{[]string{"--remains", "--out", out, "x.bc", "y.bc"}, "2 files are named, want one"},
		{[]string{"--out", out, "--checks", "--root", "f", "x.bc"}, "want one of them"},
		{[]string{"--help"}, "help requested"},
	} {
		if err := run(test.args); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %q", test.args, err, test.want)
		}
	}
}

func TestReadErrorIsShort(t *testing.T) {
	cause := errors.New("exit status 2")
	for stderr, want := range map[string]string{
		"":                            "read a.bc b.bc: exit status 2",
		"kvlower: read a.bc: short\n": "read a.bc: short",
		"noise\nkvlower: read a.bc: LLVM gave up: x\n":             "read a.bc: LLVM gave up: x",
		"SIGSEGV: segmentation violation\nPC=0x1\n\ngoroutine 1\n": "read a.bc b.bc: LLVM crashed: SIGSEGV: segmentation violation",
	} {
		if got := readError([]string{"a.bc", "b.bc"}, cause, stderr).Error(); got != want {
			t.Errorf("%q: %q, want %q", stderr, got, want)
		}
	}
}
