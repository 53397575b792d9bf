package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
)

// state is the folder that holds what outlives a command.
type state struct{ dir string }

func (s *state) flag(f *pflag.FlagSet) {
	f.StringVar(&s.dir, "state", "", "`DIR` for the store, toolchains and the last report (default: kvfarm in the user's cache directory)")
}

// resolve fills in the default and makes the folder.
func (s *state) resolve() error {
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
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	return nil
}

func (s *state) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}
