package inputs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/executor/worker/inputs"
)

// victimDir names the cache that this program fills, slowly, to be killed.
const victimDir = "KVFARM_TEST_VICTIM_DIR"

func manyFiles() map[string]string {
	out := map[string]string{}
	for i := range 300 {
		out[fmt.Sprintf("f%d", i)] = fmt.Sprint("content ", i)
	}
	return out
}

// TestKill kills a process that makes a root and an input tree, and opens its
// cache: nothing of it is half there.
func TestKill(t *testing.T) {
	s := newStore()
	d := upload(t, s, manyFiles())
	if dir := os.Getenv(victimDir); dir != "" {
		s.slow = 20 * time.Millisecond
		c := open(t, inputs.Config{Dir: dir}, s)
		go func() { _, err := c.Root(t.Context(), d, nil); t.Error("was not killed", err) }()
		pin(t, c, d)
		t.Fatal("was not killed")
	}
	dir := t.TempDir()
	victim := exec.Command(os.Args[0], "-test.run=^TestKill$")
	victim.Env = append(os.Environ(), victimDir+"="+dir)
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); len(glob(t, dir, "boot-*/tmp/*/f*")) < 50; time.Sleep(time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("the victim does not begin")
		}
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()

	c := open(t, inputs.Config{Dir: dir}, s)
	if left := glob(t, dir, "boot-*/tmp/*"); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
	root, err := c.Root(t.Context(), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*inputs.Pin{root, pin(t, c, d)} {
		if diff := cmp.Diff(manyFiles(), read(t, c, p.Layers[0])); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
