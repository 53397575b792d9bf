package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// inside says that this process runs on a machine that refuses something.
const inside = "KVFARM_TEST_INSIDE"

// advised is what a person is told to do, by what is refused.
var advised = map[sandboxtest.Refusal]string{
	sandboxtest.Namespaces: "the capability SYS_ADMIN",
	sandboxtest.Mounts:     "the capability SYS_ADMIN",
	sandboxtest.Limit:      "sysctl user.max_mnt_namespaces=10000",
}

// TestRefused opens a Host where there cannot be one: the error says what to
// do, and nothing is left.
func TestRefused(t *testing.T) {
	if os.Getenv(inside) != "" {
		dir := filepath.Join(t.TempDir(), "worker")
		_, err := sandbox.Open(sandbox.Config{Dir: dir})
		if !errors.Is(err, sandbox.ErrRefused) {
			t.Fatalf("%v, want ErrRefused", err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left over: %v, %v", left, err)
		}
		t.Fatal(err) // for the test outside to read
	}
	sandboxtest.Open(t, sandbox.Config{})
	for how, want := range advised {
		t.Run(string(how), func(t *testing.T) {
			says := refuse(t, how, "^TestRefused$")
			if !strings.Contains(says, "sandbox refused: ") || !strings.Contains(says, want) || strings.Contains(says, "left over") {
				t.Errorf("says %s, want %q", says, want)
			}
		})
	}
}

// TestRefusedLater has the limit fall when the Host is open already.
func TestRefusedLater(t *testing.T) {
	if os.Getenv(inside) == "" {
		sandboxtest.Open(t, sandbox.Config{})
		if says := refuse(t, sandboxtest.Limit, "^TestRefusedLater$"); !strings.Contains(says, advised[sandboxtest.Limit]) {
			t.Error(says)
		}
		return
	}
	limit(t, 100)
	s := newScene(t, sandbox.Config{})
	limit(t, 0)
	_, err := s.host.Run(t.Context(), s.spec("nothing"))
	if !errors.Is(err, sandbox.ErrRefused) {
		t.Errorf("%v, want ErrRefused", err)
	}
	limit(t, 100)
	s.run(t, s.spec("nothing"))
	t.Fatal(err) // for the test outside to read
}

func limit(t *testing.T, n int) {
	t.Helper()
	if err := sandboxtest.LimitNamespaces(n); err != nil {
		t.Fatal(err)
	}
}

// refuse runs a test of this program inside, where it must fail, and returns
// what it says.
func refuse(t *testing.T, how sandboxtest.Refusal, test string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := sandboxtest.Refuse(t.Context(), how, self, "-test.v", "-test.run="+test)
	cmd.Env = append(cmd.Env, inside+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("it did not fail: %s", out)
	}
	return string(out)
}
