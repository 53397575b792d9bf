package badgerstore_test

import (
	"io"
	"log/slog"
	"testing"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/castest"
)

func openDir(t testing.TB, dir string) *badgerstore.Store {
	t.Helper()
	s, err := badgerstore.Open(t.Context(), badgerstore.Config{Dir: dir, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	castest.Run(t, func(t *testing.T) cas.Store { return openDir(t, t.TempDir()) })
}

func TestActionCache(t *testing.T) {
	castest.RunActionCache(t, func(t *testing.T) cas.ActionCache { return openDir(t, t.TempDir()) })
}
