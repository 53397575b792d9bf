package graph

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// checkRust returns a *ConfigError if CONFIG_RUST is not on in config.
func (g *Graph) checkRust(config, stderr string) error {
	on := map[string]bool{}
	for line := range strings.SplitSeq(config, "\n") {
		if name, ok := strings.CutSuffix(line, "=y"); ok {
			on[strings.TrimPrefix(name, "CONFIG_")] = true
		}
	}
	if on["RUST"] {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(g.cfg.Tree, "init/Kconfig"))
	if err != nil {
		return &ConfigError{Arch: g.cfg.Arch.Name, Stderr: stderr}
	}
	return &ConfigError{Arch: g.cfg.Arch.Name, Unmet: unmet(string(text), on), Stderr: stderr}
}

var symbol = regexp.MustCompile(`!?\b[A-Z0-9_]+\b`)

// unmet lists the conditions of option RUST that do not hold, as far as they
// are a choice between options or a conjunction of them. Comparisons of
// versions are left to the kernel's own message.
func unmet(kconfig string, on map[string]bool) []string {
	var out []string
	inside := false
	for line := range strings.SplitSeq(kconfig, "\n") {
		if strings.HasPrefix(line, "config ") || strings.HasPrefix(line, "menuconfig ") {
			inside = strings.TrimSpace(line) == "config RUST"
		}
		cond, ok := strings.CutPrefix(strings.TrimSpace(line), "depends on ")
		if !inside || !ok || strings.ContainsAny(cond, "<>=") {
			continue
		}
		if !holds(cond, on) {
			out = append(out, cond)
		}
	}
	return out
}

func holds(cond string, on map[string]bool) bool {
	for alternative := range strings.SplitSeq(cond, "||") {
		all := true
		for _, s := range symbol.FindAllString(alternative, -1) {
			name, negated := strings.CutPrefix(s, "!")
			all = all && on[name] != negated
		}
		if all {
			return true
		}
	}
	return false
}
