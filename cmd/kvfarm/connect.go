package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/kvfarm/kvfarm/frontend/farm"
	"github.com/kvfarm/kvfarm/kbuild/toolchain"
)

// connection is a client with the farm behind it, if that is embedded.
type connection struct {
	client *farm.Client
	close  func()
}

// connect connects to the farm of the flags, or starts one in this process.
func (w *work) connect(ctx context.Context, root *toolchain.Toolchain) (*connection, error) {
	cfg, err := w.remote.config()
	if err != nil {
		return nil, err
	}
	cfg.NoCache = w.fresh
	cfg.Log = forPeople(w.err)
	if !w.embeds() {
		return w.distant(ctx, cfg, root)
	}
	return w.embedded(ctx, cfg, root)
}

// distant connects to a farm elsewhere. What it lacks of the toolchain is sent
// from the local store.
func (w *work) distant(ctx context.Context, cfg farm.Config, root *toolchain.Toolchain) (*connection, error) {
	local := &lazyStore{open: func() (store, error) {
		st, err := openStore(ctx, w.dir, cfg.Log)
		if err != nil {
			return nil, err
		}
		return st, importToolchain(ctx, root, st, w.note)
	}}
	cfg.Local = local
	c, err := farm.Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	conn := &connection{client: c, close: func() { c.Close(); local.Close() }}
	if err := w.probe(ctx, c); err != nil {
		conn.close()
		return nil, err
	}
	return conn, nil
}

func (w *work) note(text string) { fmt.Fprintln(w.err, "kvfarm:", text) }

func (w *work) embedded(ctx context.Context, cfg farm.Config, root *toolchain.Toolchain) (*connection, error) {
	f, err := openLocal(ctx, w.dir, cfg.Log)
	if err != nil {
		return nil, err
	}
	f.maintain(w.dir, "", spareWhileUsed)
	// The worker first: where sandboxes are refused nobody should wait to hear it.
	if err := f.work(w.path("worker", "embedded"), "embedded", w.jobs); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := importToolchain(ctx, root, f.store, w.note); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	endpoint, remove, err := f.embed()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	end := func() { f.Close(); remove() }
	cfg.Executor = endpoint
	c, err := farm.Dial(ctx, cfg)
	if err != nil {
		end()
		return nil, err
	}
	return &connection{client: c, close: func() { c.Close(); end() }}, nil
}
