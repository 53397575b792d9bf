package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrLocked says that another process has the store open.
var ErrLocked = errors.New("store is in use by another process")

// lockPoll is how often a waiting Open looks whether the store is free.
const lockPoll = 50 * time.Millisecond

// lockDir makes cfg.Dir and takes the lock in it, which ends with the process
// however that ends. Closing the file gives it back.
func lockDir(ctx context.Context, cfg Config) (*os.File, error) {
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(cfg.Dir, "LOCK"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			note(f)
			return f, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock: %w", err), f.Close())
		}
		if !cfg.Wait {
			return nil, errors.Join(fmt.Errorf("%w (%s)", ErrLocked, holder(f)), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for %w (%s): %w", ErrLocked, holder(f), ctx.Err()), f.Close())
		case <-time.After(lockPoll):
		}
	}
}

// note tells others who holds the lock. On a full disk they are not told.
func note(f *os.File) {
	_ = f.Truncate(0)
	_, _ = fmt.Fprintf(f, "process %d\n", os.Getpid())
}

func holder(f *os.File) string {
	b, err := io.ReadAll(io.LimitReader(f, 100))
	if err != nil || len(b) == 0 {
		return "process unknown"
	}
	return strings.TrimSpace(string(b))
}
