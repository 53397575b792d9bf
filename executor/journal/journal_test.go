package journal_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/executor/journal"
	"github.com/kvfarm/kvfarm/executor/queue"
)

func open(t *testing.T, path string) *journal.File {
	t.Helper()
	j, err := journal.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func write(t *testing.T, j queue.Journal, rs ...queue.Record) {
	t.Helper()
	if err := j.Write(rs); err != nil {
		t.Fatal(err)
	}
}

// load returns names with attempts.
func load(t *testing.T, j queue.Journal) []string {
	t.Helper()
	rs, err := j.Load()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rs {
		got = append(got, fmt.Sprint(r.Name, r.Attempt))
	}
	slices.Sort(got)
	return got
}

func rec(name string, attempt int) queue.Record { return queue.Record{Name: name, Attempt: attempt} }

func TestNewestCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	for name, j := range map[string]queue.Journal{"file": open(t, path), "memory": &journal.Memory{}} {
		write(t, j, rec("a", 1), rec("b", 1))
		write(t, j, rec("a", 2), rec("c", 1), queue.Record{Name: "b", Gone: true})
		write(t, j, rec("d", 1), queue.Record{Name: "d", Gone: true}, rec("d", 2))
		if diff := cmp.Diff([]string{"a2", "c1", "d2"}, load(t, j)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"a2", "c1", "d2"}, load(t, open(t, path))); diff != "" {
		t.Errorf("reopened (-want +got):\n%s", diff)
	}
}

// Whatever is cut off or damaged at the end, what stands before it is there,
// and writing goes on.
func TestTornEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path)
	write(t, j, rec("a", 1))
	whole := frames(t, path)
	write(t, j, rec("b", 1))
	both := frames(t, path)
	flipped := slices.Clone(both)
	flipped[len(flipped)-2] ^= 1
	huge := append(slices.Clone(whole), 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4)
	torn := [][]byte{flipped, huge}
	for n := len(whole); n < len(both); n += 5 {
		torn = append(torn, both[:n], append(slices.Clone(both[:n]), make([]byte, 100)...))
	}
	for i, b := range torn {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		j := open(t, path)
		write(t, j, rec("c", 1))
		if diff := cmp.Diff([]string{"a1", "c1"}, load(t, open(t, path))); diff != "" {
			t.Errorf("case %d (-want +got):\n%s", i, diff)
		}
	}
}

// frames is the file less the zeros at its end, of which there are some.
func frames(t *testing.T, path string) []byte {
	t.Helper()
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b := bytes.TrimRight(all, "\x00")
	if len(b) == len(all) {
		t.Error("nothing is set aside")
	}
	return b
}

// What is said of a torn end is not said of a process that was killed while it wrote
// nothing.
func TestTornIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	write(t, open(t, path), rec("a", 1))
	whole := frames(t, path)
	for name, c := range map[string]struct {
		end  []byte
		told bool
	}{"killed": {make([]byte, 100), false}, "torn": {append([]byte{7, 0, 0, 0}, make([]byte, 100)...), true}, "closed": {nil, false}} {
		if err := os.WriteFile(path, append(slices.Clone(whole), c.end...), 0o600); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		j, err := journal.Open(path, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		_ = j.Close()
		if told := strings.Contains(log.String(), "not whole"); told != c.told {
			t.Errorf("%s: %q", name, &log)
		}
	}
}

// A file does not grow with what has been, and is whole at any time.
func TestShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path)
	write(t, j, rec("keep", 7))
	long := queue.Record{Name: "n", Worker: strings.Repeat("x", 100_000)}
	for i := range 200 {
		long.Attempt = i
		write(t, j, long)
	}
	st, err := os.Stat(path)
	if err != nil || st.Size() > 8<<20 {
		t.Errorf("%d bytes after 200 writes of 100,000, %v", st.Size(), err)
	}
	write(t, j, rec("last", 1))
	for _, j := range []queue.Journal{j, open(t, path)} {
		if diff := cmp.Diff([]string{"keep7", "last1", "n199"}, load(t, j)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "j")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(path, slog.New(slog.DiscardHandler))
	if err == nil {
		err = j.Write([]queue.Record{rec("a", 1)})
	}
	if err == nil {
		t.Error("written to a full disk")
	}
}

// One operation is one record that is on disk.
func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			j, err := journal.Open(filepath.Join(b.TempDir(), "j"), slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			records := make([]queue.Record, n)
			for i := range records {
				records[i] = queue.Record{Name: fmt.Sprint("operation", i), Worker: "w"}
			}
			for i := 0; b.Loop(); i += n {
				if i%n == 0 {
					if err := j.Write(records); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
