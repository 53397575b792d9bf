package sandbox

import (
	"os"
	"testing"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/stage"
)

// TestInterpreter holds that the first process's program is small, and that
// nobody can change what all sandboxes begin with.
func TestInterpreter(t *testing.T) {
	f := openInterpreter()
	if f == nil {
		if stage.Text() != nil {
			t.Fatal("this machine does not execute files in memory")
		}
		t.Skip("there is none for this machine")
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() > 1024 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	if w, err := os.OpenFile(f.Name(), os.O_WRONLY, 0); err == nil {
		if _, err := w.Write([]byte("x")); err == nil {
			t.Error("it can be written to")
		}
		w.Close()
	}
	if err := os.Truncate(f.Name(), 0); err == nil {
		t.Error("it can be made shorter")
	}
}
