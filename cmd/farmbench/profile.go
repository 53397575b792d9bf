package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// startProfile has our server profile itself for as long as a turn lasts, if
// that is asked for. The newest turn's profile of each row stays.
func (t *target) startProfile(ctx context.Context, s *settings, r *row) (stop func(), err error) {
	if t.profile == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(s.pprof, 0o755); err != nil {
		return nil, err
	}
	name := strings.Map(func(c rune) rune {
		if strings.ContainsRune(" ,()/", c) {
			return '-'
		}
		return c
	}, r.name)
	done := make(chan struct{})
	go func() {
		defer close(done)
		url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", t.profile, max(1, int(s.limit.Seconds())))
		if err := download(ctx, url, filepath.Join(s.pprof, name+".pprof")); err != nil {
			fmt.Fprintln(os.Stderr, "farmbench: profile:", err)
		}
	}()
	return func() { <-done }, nil
}

func download(ctx context.Context, url, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(file, body, 0o644)
}
