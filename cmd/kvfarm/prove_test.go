package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestProve runs what a user types, with the toolchain and the three programs.
// The state is the user's own, so that core is not compiled again.
func TestProve(t *testing.T) {
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"kvfarm", "kvlower", "kvengine"} {
		_, err := os.Stat(filepath.Join(bin, tool))
		need(t, "make build has not been run", err)
	}
	_, err = findToolchain()
	need(t, "no toolchain", err)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/prove",
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_CACHE_HOME", cache)
			e.Setenv("KVFARM", filepath.Join(bin, "kvfarm"))
			return nil
		},
	})
}
