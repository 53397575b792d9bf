package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/pflag"
)

// logFlags say what a process that runs for long tells.
type logFlags struct{ format, level string }

func (l *logFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&l.format, "log_format", "text", "`FORM` of the log on stderr: text or json")
	f.StringVar(&l.level, "log_level", "info", "least `LEVEL` of what is logged: debug, info, warn, error")
}

func (l *logFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level)); err != nil {
		return nil, fmt.Errorf("--log_level %q: want debug, info, warn or error", l.level)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch l.format {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, fmt.Errorf("--log_format %q: want text or json", l.format)
}
