package journal

import (
	"maps"
	"slices"
	"sync"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// Memory is a queue.Journal in a map: the reference, and the double in tests.
// The zero value is empty.
type Memory struct {
	mu      sync.Mutex
	records map[string]queue.Record
	broken  error
}

// Write implements queue.Journal.
func (m *Memory) Write(records []queue.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	if m.records == nil {
		m.records = map[string]queue.Record{}
	}
	for _, r := range records {
		if m.records[r.Name] = r; r.Gone {
			delete(m.records, r.Name)
		}
	}
	return nil
}

// Load implements queue.Journal.
func (m *Memory) Load() ([]queue.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.records)), nil
}

// Break makes Write fail with err from now on; nil mends it.
func (m *Memory) Break(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}
