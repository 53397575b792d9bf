package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// notices is a slog.Handler for a command that a person waits for: warnings
// and errors as lines of its own kind, without the time and the quoting of a log.
type notices struct {
	mu    *sync.Mutex
	w     io.Writer
	attrs []slog.Attr
}

// forPeople returns a logger of what a person at w should know.
func forPeople(w io.Writer) *slog.Logger { return slog.New(&notices{mu: &sync.Mutex{}, w: w}) }

// Enabled implements slog.Handler.
func (n *notices) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle implements slog.Handler.
func (n *notices) Handle(_ context.Context, r slog.Record) error {
	attrs := slices.Clone(n.attrs)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	var b strings.Builder
	fmt.Fprintf(&b, "kvfarm: %s: %s", word(r.Level), r.Message)
	for i, a := range attrs {
		sep := ", "
		if i == 0 {
			sep = " ("
		}
		fmt.Fprintf(&b, "%s%s %v", sep, a.Key, a.Value.Resolve())
	}
	if len(attrs) > 0 {
		b.WriteString(")")
	}
	b.WriteString("\n")
	n.mu.Lock()
	defer n.mu.Unlock()
	_, err := io.WriteString(n.w, b.String())
	return err
}

func word(l slog.Level) string {
	if l >= slog.LevelError {
		return "error"
	}
	return "warning"
}

// WithAttrs implements slog.Handler.
func (n *notices) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &notices{mu: n.mu, w: n.w, attrs: slices.Concat(n.attrs, attrs)}
}

// WithGroup implements slog.Handler. A line for a person has no groups.
func (n *notices) WithGroup(string) slog.Handler { return n }
