package badgerstore

import (
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	turnItems  = 4096     // items the committer takes at once, if each has a single request
	turnBytes  = 16 << 20 // bytes it takes at once, give or take a request
	writeBytes = 1 << 20  // bytes it collects before it writes
	usesEvery  = 10 * time.Second
	usesMax    = 1 << 16 // noted uses that are written down before their time
)

// item is content on its way into the store.
type item struct {
	key     key
	content []byte // nil if placed
	placed  loc    // where the content lies already
	twice   bool   // once the request is done: another put was first, nothing refers to placed
	err     error  // once the request is done: why it is not stored
}

// request is what one caller waits for.
type request struct {
	items []item
	alone func() // something to do between turns, in place of items
	done  chan struct{}
}

// committer is the gate through which every change of the index goes: one
// goroutine that takes what callers have queued meanwhile, writes it, flushes
// once, and answers them all. The index is not flushed: what it might lose is in
// the packs (replay.go).
type committer struct {
	index *index
	packs *packs
	space *space
	log   *slog.Logger

	mu      sync.RWMutex // held while sending, so that close can tell when nobody does
	closed  bool
	queue   chan *request
	stopped chan struct{}
	buf     []byte
}

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("store is closed")

func startCommitter(ix *index, p *packs, s *space, log *slog.Logger) *committer {
	c := &committer{
		index: ix, packs: p, space: s, log: log,
		queue:   make(chan *request, 256),
		stopped: make(chan struct{}),
	}
	go c.run()
	return c
}

// commit returns when every item is on disk, or its err says why not.
func (c *committer) commit(items []item) error {
	return c.submit(&request{items: items, done: make(chan struct{})})
}

// between runs f when no items are underway.
func (c *committer) between(f func()) error {
	return c.submit(&request{alone: f, done: make(chan struct{})})
}

func (c *committer) submit(r *request) error {
	c.mu.RLock()
	if c.closed {
		c.mu.RUnlock()
		return ErrClosed
	}
	c.queue <- r
	c.mu.RUnlock()
	<-r.done
	return nil
}

// close finishes what is queued and writes the last uses down.
func (c *committer) close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.queue)
	}
	c.mu.Unlock()
	<-c.stopped
}

func (c *committer) run() {
	defer close(c.stopped)
	tick := time.NewTicker(usesEvery)
	defer tick.Stop()
	for {
		select {
		case r, ok := <-c.queue:
			if !ok {
				c.flushUses()
				return
			}
			c.turn(r)
			if c.index.uses() > usesMax {
				c.flushUses()
			}
		case <-tick.C:
			c.flushUses()
		}
	}
}

// flushUses writes uses down if there is room: they are worth less than the
// space that blobs and deletions need.
func (c *committer) flushUses() {
	if c.index.uses() == 0 || c.space.check(0) != nil {
		return
	}
	if err := c.index.flushUses(); err != nil {
		c.log.Error("note last uses", "err", err)
	}
}

// turn serves r and what else is queued by now.
func (c *committer) turn(r *request) {
	var batch []*request
	for count, bytes := 0, 0; r != nil; {
		if r.alone != nil {
			c.serve(batch)
			r.alone()
			close(r.done)
			return
		}
		batch = append(batch, r)
		count += len(r.items)
		for _, it := range r.items {
			bytes += len(it.content)
		}
		if count >= turnItems || bytes >= turnBytes {
			break
		}
		r = c.next()
	}
	c.serve(batch)
}

// next returns a queued request, or nil if there is none.
func (c *committer) next() *request {
	select {
	case r := <-c.queue: // nil if closed and empty
		return r
	default:
		return nil
	}
}

// serve writes the items of a batch and answers.
func (c *committer) serve(batch []*request) {
	if len(batch) == 0 {
		return
	}
	var items []*item
	for _, r := range batch {
		for i := range r.items {
			items = append(items, &r.items[i])
		}
	}
	if err := c.write(items); err != nil {
		for _, it := range items {
			it.err = err
		}
	}
	for _, r := range batch {
		close(r.done)
	}
}

// write makes items durable: content first, then the index.
func (c *committer) write(items []*item) error {
	if err := c.space.check(0); err != nil {
		return err
	}
	items, err := c.fresh(items)
	if err != nil {
		return err
	}
	l := layout{packs: c.packs, buf: c.buf[:0], entries: make([]entry, 0, len(items))}
	defer func() {
		c.buf = l.buf
		l.release()
	}()
	if err := l.place(items, c.index.now()); err != nil {
		return err
	}
	return full(c.index.store(l.entries))
}

// fresh returns the items to write: not those whose blob is there already or is
// written by an item before it.
func (c *committer) fresh(items []*item) ([]*item, error) {
	keys := make([]key, len(items))
	for i, it := range items {
		keys[i] = it.key
	}
	err := c.index.find(keys, use, func(i int, _ loc) { items[i].twice = keys[i].kind() == blobs })
	if err != nil {
		return nil, err
	}
	seen := make(map[key]bool, len(items))
	fresh := items[:0:0]
	for _, it := range items {
		it.twice = it.twice || it.key.kind() == blobs && seen[it.key]
		seen[it.key] = true
		if !it.twice {
			fresh = append(fresh, it)
		}
	}
	return fresh, nil
}

// layout gives the items of a turn their places.
type layout struct {
	packs   *packs
	entries []entry
	buf     []byte   // content in frames, on its way into a pack
	inBuf   int      // entries[inBuf:] lie in buf, their off is relative to it
	begun   []extent // what has been written
}

// place brings the content of items to disk, used at that time. Items that are
// placed are there.
func (l *layout) place(items []*item, at uint32) error {
	var placed []entry
	for _, it := range items {
		if it.content == nil {
			there := it.placed
			there.used = at // a collection may have begun since it was written
			placed = append(placed, entry{it.key, there})
			continue
		}
		l.entries = append(l.entries, entry{it.key, loc{off: int64(len(l.buf)), size: int64(len(it.content)), used: at}})
		l.buf = appendFrames(l.buf, it.key, it.content)
		if len(l.buf) >= writeBytes {
			if err := l.write(); err != nil {
				return err
			}
		}
	}
	err := l.write()
	l.entries = append(l.entries, placed...)
	return errors.Join(err, l.sync())
}

// write brings buf into a pack.
func (l *layout) write() error {
	if len(l.buf) == 0 {
		return nil
	}
	inBuf := l.entries[l.inBuf:]
	e, p, err := l.packs.reserve(batches, int64(len(l.buf)), len(inBuf))
	if err != nil {
		return err
	}
	l.begun = append(l.begun, e)
	for i := range inBuf {
		at := &inBuf[i].loc
		at.pack, at.off = e.pack, at.off+e.content()
	}
	l.buf = l.packs.seal.appendList(l.buf, e, inBuf)
	if err := p.writeAt(l.buf, e.content()); err != nil {
		return err
	}
	l.inBuf, l.buf = len(l.entries), l.buf[:0]
	return nil
}

// sync flushes the packs that have been written to.
func (l *layout) sync() error {
	var last uint32
	for _, e := range l.begun {
		if e.pack == last {
			continue
		}
		last = e.pack
		if err := l.packs.get(e.pack).sync(); err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) release() {
	for _, e := range l.begun {
		l.packs.release(e)
	}
}
