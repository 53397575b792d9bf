package job

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Costs is what proofs took in earlier runs, so that the long ones begin first:
// one that begins last would keep everybody waiting for it alone. It decides
// about order and nothing else, so what is wrong in it costs time and no verdict.
type Costs struct {
	mu    sync.Mutex
	known map[costKey]time.Duration
	fresh map[costKey]time.Duration // noted in this run
}

type costKey struct{ crate, symbol string }

// maxCosts bounds the roots that are remembered, beside those of the last run.
const maxCosts = 20_000

// ReadCosts reads a file that Write wrote; there need not be one. Lines that it
// cannot read it leaves out.
func ReadCosts(file string) (*Costs, error) {
	c := &Costs{known: map[costKey]time.Duration{}, fresh: map[costKey]time.Duration{}}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read costs of proofs: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		p := strings.Split(lines.Text(), "\t")
		if len(p) != 3 {
			continue
		}
		if ms, err := strconv.ParseInt(p[0], 10, 64); err == nil && ms >= 0 {
			c.known[costKey{p[1], p[2]}] = time.Duration(ms) * time.Millisecond
		}
	}
	return c, nil
}

// Write writes what is known now, unless this run brought nothing new.
func (c *Costs) Write(file string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := maps.Clone(c.known)
	if len(all) > maxCosts {
		clear(all)
	}
	maps.Copy(all, c.fresh)
	if maps.Equal(all, c.known) {
		return nil
	}
	var lines []string
	for k, d := range all {
		lines = append(lines, fmt.Sprintf("%d\t%s\t%s\n", d.Milliseconds(), k.crate, k.symbol))
	}
	slices.Sort(lines)
	tmp := file + ".new"
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(tmp, []byte(strings.Join(lines, "")), 0o666), os.Rename(tmp, file)); err != nil {
		return fmt.Errorf("write costs of proofs: %w", err)
	}
	return nil
}

// note remembers what a proof took.
func (c *Costs) note(crate, symbol string, took time.Duration) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fresh[costKey{crate, symbol}] = took.Truncate(time.Millisecond)
}

// bytesPerMilli is a guess for roots that nobody has proved yet: large slices take longer.
const bytesPerMilli = 64

// expect says what a proof may take.
func (c *Costs) expect(crate, symbol string, slice int64) time.Duration {
	if c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if d, ok := c.known[costKey{crate, symbol}]; ok {
			return d
		}
	}
	return time.Duration(slice/bytesPerMilli) * time.Millisecond
}

const (
	most         = 32 // bits of a time in milliseconds, 50 days
	lastPriority = provePriority + most
)

// priority puts what takes twice as long one step earlier; all of it comes after
// what leads to further actions.
func priority(d time.Duration) int32 {
	return lastPriority - int32(min(most, bits.Len64(uint64(d.Milliseconds()))))
}
