package graph

import "strings"

// ConfigError says that the configuration came out without Rust.
type ConfigError struct {
	Arch   string   // ARCH
	Unmet  []string // conditions of CONFIG_RUST that do not hold
	Stderr string   // what the kernel says of the tools
}

func (e *ConfigError) Error() string {
	s := "CONFIG_RUST is off in the configuration for " + e.Arch + " that results"
	for _, u := range e.Unmet {
		s += "\n\tdepends on " + u
		if u == "HAVE_RUST" {
			s += ": this kernel has no Rust for " + e.Arch + ", or not together with other options that are on"
		}
	}
	if len(e.Unmet) == 0 && e.Stderr == "" {
		s += ", though nothing stands in its way: the fragment does not turn it on, or turns it off"
	}
	if e.Stderr != "" {
		s += "\n" + strings.TrimRight(e.Stderr, "\n")
	}
	return s
}
