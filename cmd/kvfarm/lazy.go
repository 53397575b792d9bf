package main

import (
	"context"
	"io"
	"sync"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// lazyStore opens a store when a blob of it is wanted: with a remote farm the
// toolchain is sent once, and afterwards nobody should have to wait for the
// local store to be free.
type lazyStore struct {
	open func() (store, error)

	once  sync.Once
	store store
	err   error
}

// store is what lazyStore opens.
type store interface {
	cas.Store
	io.Closer
}

func (l *lazyStore) get() (cas.Store, error) {
	l.once.Do(func() { l.store, l.err = l.open() })
	return l.store, l.err
}

// Close closes the store if it was opened.
func (l *lazyStore) Close() error {
	if l.store == nil {
		return nil
	}
	return l.store.Close()
}

// Get implements cas.Store.
func (l *lazyStore) Get(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error) {
	s, err := l.get()
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, d, offset)
}

// Put implements cas.Store.
func (l *lazyStore) Put(ctx context.Context, d digest.Digest, r io.Reader) error {
	s, err := l.get()
	if err != nil {
		return err
	}
	return s.Put(ctx, d, r)
}

// Missing implements cas.Store.
func (l *lazyStore) Missing(ctx context.Context, ds []digest.Digest) ([]digest.Digest, error) {
	s, err := l.get()
	if err != nil {
		return nil, err
	}
	return s.Missing(ctx, ds)
}
