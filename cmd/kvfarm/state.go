package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/kvfarm/kvfarm/cas"
)

// state is the folder that holds what outlives a command.
type state struct{ dir string }

func (s *state) flag(f *pflag.FlagSet) {
	f.StringVar(&s.dir, "state", "", "`DIR` of the store, the last report and what a worker keeps (default: kvfarm in the user's cache directory)")
}

// resolve fills in the default and makes the folder.
func (s *state) resolve() error {
	if err := s.locate(); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("make the state folder: %w; name another with --state", err)
	}
	return nil
}

// locate fills in the default.
func (s *state) locate() error {
	if s.dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("find the user's cache directory: %w; name a folder with --state", err)
		}
		s.dir = filepath.Join(cache, "kvfarm")
	}
	abs, err := filepath.Abs(s.dir)
	if err != nil {
		return fmt.Errorf("state folder %s: %w", s.dir, err)
	}
	s.dir = abs
	return nil
}

func (s *state) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// advise adds what to do to an error for want of disk space.
func (s *state) advise(err error) error {
	if err == nil || !noRoom(err.Error()) {
		return err
	}
	return fmt.Errorf("%w\n%s", err, s.makeRoom())
}

// noRoom reports whether message is of an error for want of disk space. It
// goes by the words, for such an error may have come over a wire.
func noRoom(message string) bool {
	return strings.Contains(message, syscall.ENOSPC.Error()) || strings.Contains(message, cas.ErrFull.Error())
}

func (s *state) makeRoom() string {
	return fmt.Sprintf("the disk that holds %s is full: make room there, or drop what was not used for longest (kvfarm cache gc --state %s --limit SIZE), or name another folder with --state; what was finished is kept, and the same command goes on from there", s.dir, s.dir)
}
