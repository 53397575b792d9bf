package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/kvfarm/kvfarm/cas/badgerstore"
)

// keeper looks after a store.
type keeper interface {
	Stat(context.Context) (badgerstore.Stat, error)
	GC(context.Context, badgerstore.GCConfig) (badgerstore.GCReport, error)
	Fsck(context.Context) (badgerstore.FsckReport, error)
	Close() error
}

// upkeep has other processes look after the store of a farm that holds it, by
// a socket in the state folder: `kvfarm cache` needs not wait until it ends.
// Its methods are what net/rpc calls.
type upkeep struct {
	farm   *localFarm
	holder Holder
}

// Holder is a process that has a state folder.
type Holder struct {
	Process int
	Listens string        // where, if it serves; empty: a command that comes to an end
	Spare   time.Duration // what was used within it stays: the process relies on it
}

// Who says who has the folder.
func (u *upkeep) Who(_ struct{}, who *Holder) error {
	*who = u.holder
	return nil
}

// Stat is badgerstore.Store.Stat.
func (u *upkeep) Stat(_ struct{}, st *badgerstore.Stat) (err error) {
	*st, err = u.farm.store.Stat(u.farm.ctx)
	return err
}

// GC collects, but for what the farm needs.
func (u *upkeep) GC(cfg badgerstore.GCConfig, r *badgerstore.GCReport) (err error) {
	cfg.Grace = max(cfg.Grace, u.holder.Spare)
	cfg.Keep.Actions = slices.Concat(cfg.Keep.Actions, u.farm.queue.Actions())
	*r, err = u.farm.store.GC(u.farm.ctx, cfg)
	return err
}

// Fsck is badgerstore.Store.Fsck.
func (u *upkeep) Fsck(_ struct{}, r *badgerstore.FsckReport) (err error) {
	*r, err = u.farm.store.Fsck(u.farm.ctx)
	return err
}

// maintain answers on the socket of dir until the farm is to stop. That it
// cannot be made is no reason not to work: some file systems have no sockets.
func (f *localFarm) maintain(dir, listens string, spare time.Duration) {
	folder, err := os.Open(dir)
	if err != nil {
		f.log.Warn("kvfarm cache has to wait until this ends", "error", err)
		return
	}
	name := upkeepSocket(folder)
	_ = os.Remove(name) // of a process that was killed: the store's lock is ours
	l, err := net.Listen("unix", name)
	if err == nil {
		err = os.Chmod(name, 0o600)
	}
	if err != nil {
		f.log.Warn("kvfarm cache has to wait until this ends", "error", err)
		folder.Close()
		return
	}
	server := rpc.NewServer()
	if err := server.RegisterName(upkeepName, &upkeep{f, Holder{os.Getpid(), listens, spare}}); err != nil {
		panic(err) // methods are not as they have to be
	}
	var ended atomic.Bool
	context.AfterFunc(f.ctx, func() {
		ended.Store(true)
		l.Close()
		folder.Close()
	})
	f.group.Go(func() error {
		for {
			conn, err := l.Accept()
			if err != nil && ended.Load() {
				return nil
			}
			if err != nil {
				return fmt.Errorf("serve kvfarm cache: %w", err)
			}
			context.AfterFunc(f.ctx, func() { conn.Close() })
			f.group.Go(func() error {
				server.ServeConn(conn) // to the end of the calls that came: they need the store
				return nil
			})
		}
	})
}

const upkeepName = "Store"

// upkeepSocket is the name of the socket in a state folder, short whatever the
// folder's is: a socket's name has at most 107 bytes.
func upkeepSocket(folder *os.File) string {
	return filepath.Join("/proc/self/fd", fmt.Sprint(folder.Fd()), "upkeep")
}

// remoteKeeper is the store of another process's farm.
type remoteKeeper struct{ client *rpc.Client }

// answersWithin is how long a process that has not stopped takes to say who it is.
const answersWithin = 2 * time.Second

// askHolder connects to the process that has a state folder.
func askHolder(dir string) (*remoteKeeper, Holder, error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, Holder{}, err
	}
	defer folder.Close()
	conn, err := net.Dial("unix", upkeepSocket(folder))
	if err != nil {
		return nil, Holder{}, err
	}
	k := &remoteKeeper{rpc.NewClient(conn)}
	var who Holder
	ctx, cancel := context.WithTimeout(context.Background(), answersWithin)
	defer cancel()
	if err := k.call(ctx, "Who", struct{}{}, &who); err != nil {
		return nil, who, errors.Join(err, k.Close())
	}
	return k, who, nil
}

func (k *remoteKeeper) call(ctx context.Context, method string, request, reply any) error {
	call := k.client.Go(upkeepName+"."+method, request, reply, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return call.Error
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (k *remoteKeeper) Stat(ctx context.Context) (st badgerstore.Stat, err error) {
	err = k.call(ctx, "Stat", struct{}{}, &st)
	return st, err
}

func (k *remoteKeeper) GC(ctx context.Context, cfg badgerstore.GCConfig) (r badgerstore.GCReport, err error) {
	err = k.call(ctx, "GC", cfg, &r)
	return r, err
}

func (k *remoteKeeper) Fsck(ctx context.Context) (r badgerstore.FsckReport, err error) {
	err = k.call(ctx, "Fsck", struct{}{}, &r)
	return r, err
}

func (k *remoteKeeper) Close() error { return k.client.Close() }
