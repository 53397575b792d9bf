package graph

import "sync"

// memo makes things by name, each once. Its zero value is empty.
type memo[T any] struct {
	mu    sync.Mutex
	calls map[string]func() (T, error)
}

// do returns what make made for name, now or earlier.
func (m *memo[T]) do(name string, make func() (T, error)) (T, error) {
	m.mu.Lock()
	if m.calls == nil {
		m.calls = map[string]func() (T, error){}
	}
	call := m.calls[name]
	if call == nil {
		call = sync.OnceValues(make)
		m.calls[name] = call
	}
	m.mu.Unlock()
	return call()
}
