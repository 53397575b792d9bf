package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kvfarm/kvfarm/executor/inplace"
)

// sizeFlag is a number of bytes on the command line.
type sizeFlag int64

// String implements pflag.Value.
func (s *sizeFlag) String() string { return strconv.FormatInt(int64(*s), 10) }

// Set implements pflag.Value.
func (s *sizeFlag) Set(text string) error {
	n, err := parseSize(text)
	*s = sizeFlag(n)
	return err
}

// Type implements pflag.Value.
func (s *sizeFlag) Type() string { return "size" }

// limitFlags bound what an action on somebody else's farm may use.
func limitFlags(f *pflag.FlagSet, cfg *inplace.Config) {
	f.Var((*sizeFlag)(&cfg.Memory), "memory", "`SIZE` that an action may use: bytes, or with K, M, G, T (default: no limit)")
	f.Var((*sizeFlag)(&cfg.Outputs), "outputs", "`SIZE` that an action may leave: bytes, or with K, M, G, T (default: 16G)")
}

const suffixes = "KMGT"

func parseSize(s string) (int64, error) {
	number, shift := s, 0
	if s != "" {
		if i := strings.IndexByte(suffixes, s[len(s)-1]); i >= 0 {
			number, shift = s[:len(s)-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > (1<<62)>>shift {
		return 0, fmt.Errorf("size %q: want bytes, or a number with K, M, G or T", s)
	}
	return n << shift, nil
}

// size is n bytes for people.
func size(n int64) string {
	unit, f := "B", float64(n)
	for i := 0; f >= 1024 && i < len(suffixes); i++ {
		f /= 1024
		unit = suffixes[i:i+1] + "iB"
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}
