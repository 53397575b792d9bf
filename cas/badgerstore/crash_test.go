package badgerstore_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// childRole in the environment makes this binary a process to be killed.
const childRole = "BADGERSTORE_CHILD"

func TestMain(m *testing.M) {
	var err error
	switch role, dir, _ := strings.Cut(os.Getenv(childRole), ":"); role {
	case "":
		os.Exit(m.Run())
	case "write":
		err = writeForEver(dir)
	case "hold":
		err = hold(dir)
	}
	fmt.Fprintln(os.Stderr, "child:", err)
	os.Exit(3)
}

// child starts this binary in a role on dir, and returns its output and what
// kills it.
func child(t *testing.T, role, dir string) (out *bufio.Reader, stop func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role+":"+dir)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // SIGKILL; it may be gone already
	})
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // says that it was killed
	})
	return bufio.NewReader(pipe), stop
}

func openQuiet(ctx context.Context, dir string) (*badgerstore.Store, error) {
	return badgerstore.Open(ctx, badgerstore.Config{Dir: dir, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

// crashBlob returns the content that a writer stores under a number.
func crashBlob(seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 0))
	size := rng.IntN(20000)
	if rng.IntN(8) == 0 {
		size = rng.IntN(1 << 20)
	}
	return castest.Bytes(seed, size)
}

// crashFunction is the digest function of all that is stored under a number.
func crashFunction(seed uint64) digest.Function {
	return digest.Functions()[seed%2]
}

func crashResult(seed uint64) (digest.Digest, *repb.ActionResult) {
	f := crashFunction(seed)
	return f.Of(fmt.Append(nil, seed)), &repb.ActionResult{
		ExitCode:     int32(seed),
		StdoutDigest: f.Of(crashBlob(seed)).Proto(),
	}
}

// writeForEver puts blobs and results and prints the number of each as soon as
// both are acknowledged. Beside that it makes and collects garbage.
func writeForEver(dir string) error {
	ctx := context.Background()
	s, err := openQuiet(ctx, dir)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				seed := rand.Uint64() >> 40 // few enough to meet some again
				if err := writeOne(ctx, s, seed); err != nil {
					failed <- err
				}
				fmt.Println(seed)
			}
		}()
	}
	go func() {
		for {
			if _, err := s.GC(ctx, badgerstore.GCConfig{Limit: 1 << 40}); err != nil {
				failed <- err
			}
		}
	}()
	return <-failed
}

func writeOne(ctx context.Context, s *badgerstore.Store, seed uint64) error {
	b := crashBlob(seed)
	d := crashFunction(seed).Of(b)
	if err := s.Put(ctx, d, bytes.NewReader(append(b, 0))); err != nil && !errors.Is(err, cas.ErrMismatch) {
		return err
	}
	if err := s.Put(ctx, d, bytes.NewReader(b)); err != nil {
		return err
	}
	action, result := crashResult(seed)
	return s.SetResult(ctx, action, result)
}

// TestKill kills a process that writes, again and again. All that it had
// acknowledged is there.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[uint64]bool{}
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		out, stop := child(t, "write", dir)
		time.AfterFunc(time.Duration(100+rand.IntN(400))*time.Millisecond, stop)
		before := len(acknowledged)
		for {
			line, err := out.ReadString('\n')
			if err != nil {
				break // killed
			}
			var seed uint64
			if _, err := fmt.Sscanln(line, &seed); err != nil {
				t.Fatalf("child says %q", line)
			}
			acknowledged[seed] = true
		}
		verify(t, dir, acknowledged)
		t.Logf("round %d: %d acknowledged", round, len(acknowledged)-before)
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was written")
	}
}

func verify(t *testing.T, dir string, acknowledged map[uint64]bool) {
	t.Helper()
	s, err := badgerstore.Open(t.Context(), badgerstore.Config{Dir: dir, Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for seed := range acknowledged {
		b := crashBlob(seed)
		got, err := cas.ReadBlob(t.Context(), s, crashFunction(seed).Of(b), 1<<20)
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("blob %d of %d bytes reads as %d: %v", seed, len(b), len(got), err)
		}
		action, want := crashResult(seed)
		if r, err := s.Result(t.Context(), action); err != nil || r.ExitCode != want.ExitCode {
			t.Errorf("result %d: %v, %v", seed, r, err)
		}
	}
	if report, err := s.Fsck(t.Context()); err != nil || !report.Clean() {
		t.Errorf("Fsck = %+v, %v", report, err)
	}
}

// hold opens the store, says so, and keeps it.
func hold(dir string) error {
	s, err := openQuiet(context.Background(), dir)
	if err != nil {
		return err
	}
	fmt.Println("open")
	time.Sleep(time.Hour)
	return s.Close()
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	out, stop := child(t, "hold", dir)
	if line, err := out.ReadString('\n'); line != "open\n" {
		t.Fatalf("child says %q, %v", line, err)
	}
	cfg := badgerstore.Config{Dir: dir}
	if _, err := badgerstore.Open(t.Context(), cfg); !errors.Is(err, badgerstore.ErrLocked) || !strings.Contains(err.Error(), "(process ") {
		t.Errorf("Open = %v, want ErrLocked that names the process", err)
	}
	cfg.Wait = true
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := badgerstore.Open(ctx, cfg); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, badgerstore.ErrLocked) {
		t.Errorf("Open = %v, want ErrLocked and DeadlineExceeded", err)
	}
	time.AfterFunc(100*time.Millisecond, stop)
	s, err := badgerstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Open after the other's death = %v", err)
	}
	if _, err := badgerstore.Open(t.Context(), badgerstore.Config{Dir: dir}); !errors.Is(err, badgerstore.ErrLocked) {
		t.Errorf("Open beside ourselves = %v, want ErrLocked", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestClosed(t *testing.T) {
	s, err := badgerstore.Open(t.Context(), badgerstore.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("Close = %v", err)
	}
	d := digest.Of([]byte("x"))
	_, getErr := s.Get(t.Context(), d, 0)
	_, missErr := s.Missing(t.Context(), []digest.Digest{d})
	_, resultErr := s.Result(t.Context(), d)
	_, gcErr := s.GC(t.Context(), badgerstore.GCConfig{})
	for name, err := range map[string]error{
		"Get": getErr, "Missing": missErr, "Result": resultErr, "GC": gcErr,
		"Put":       s.Put(t.Context(), d, strings.NewReader("x")),
		"PutBatch":  s.PutBatch(t.Context(), []cas.Blob{{Digest: d, Data: []byte("x")}})[0],
		"SetResult": s.SetResult(t.Context(), d, &repb.ActionResult{}),
	} {
		if !errors.Is(err, badgerstore.ErrClosed) {
			t.Errorf("%s of a closed store = %v, want ErrClosed", name, err)
		}
	}
}
