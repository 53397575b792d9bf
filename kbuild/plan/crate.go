package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Role says what a crate is for.
type Role uint8

// The roles of crates.
const (
	HostLibrary Role = iota // linked into macros
	Macro                   // procedural macros, loaded by the compiler
	Library                 // of the target, under rust/
	Driver                  // of the target, a leaf
)

// Crate is one Rust crate of the build.
type Crate struct {
	Name    string // as other crates call it: "kernel", "rust_minimal"
	Path    string // its source without suffix, relative to the kernel tree: "drivers/gpu/drm/drm_panic_qr"
	Source  string // its root file, relative to the kernel tree, or absolute in the toolchain root
	Role    Role
	Env     map[string]string // what the source reads at compile time
	Flags   []string          // canonical; without source, outputs and level
	Externs []string          // names of crates it names
	CfgFile string            // file with one --cfg a line, relative to the object tree; empty: none
	// TargetFile describes the target, relative to the object tree; empty: rustc knows it by name.
	TargetFile string
	named      bool   // rustc is told the name
	stem       string // of its outputs, relative to the object tree
}

// Label names the crate to people: a driver by its path, others by name.
func (k *Crate) Label() string {
	if k.named {
		return k.Name
	}
	return k.Path
}

// flagsWithValue are rustc's options that may have their value in the next
// word, as far as kbuild uses them.
var flagsWithValue = []string{"--extern", "--crate-type", "--crate-name", "--out-dir", "--cfg", "-L", "--emit", "--edition", "--target"}

// Crates picks the compilations of crates out of commands and puts their
// arguments into a canonical form. tool is the path of the planning rustc.
func Crates(commands []*Command, tool string) ([]*Crate, error) {
	var crates []*Crate
	for _, c := range commands {
		if c.Argv[0] != tool {
			continue
		}
		crate, err := newCrate(c)
		if err != nil {
			return nil, fmt.Errorf("plan of %s: %w", c.Target, err)
		}
		crates = append(crates, crate)
	}
	return crates, nil
}

func newCrate(c *Command) (*Crate, error) {
	k := &Crate{Env: map[string]string{}, stem: strings.TrimSuffix(c.Target, path.Ext(c.Target))}
	for name, v := range c.Env {
		k.Env[name] = v
	}
	kind, target := "", false
	for args := c.Argv[1:]; len(args) > 0; {
		flag, value, n := nextFlag(args)
		args = args[n:]
		switch {
		case flag == "--crate-name":
			k.Name = value
		case flag == "--crate-type":
			kind = value
		case flag == "--extern":
			k.Externs = append(k.Externs, value)
			k.Flags = append(k.Flags, flag, value)
		case strings.HasPrefix(flag, "@"):
			k.CfgFile = path.Clean(flag[1:])
			k.Flags = append(k.Flags, flag)
		case strings.HasSuffix(flag, ".rs") && !strings.HasPrefix(flag, "-"):
			k.Source = flag
		case dropped(flag):
		default:
			if flag == "--target" {
				target = true
				k.takeTarget(value)
			}
			k.Flags = append(k.Flags, joinFlag(flag, value)...)
		}
	}
	return k, k.classify(kind, target)
}

// takeTarget notes the target called name, which is a file's if rustc does not know it.
func (k *Crate) takeTarget(name string) {
	if path.Ext(name) == ".json" {
		k.TargetFile = path.Clean(name)
	}
}

// classify finds role and name.
func (k *Crate) classify(kind string, target bool) error {
	if k.Source == "" {
		return fmt.Errorf("names no source file")
	}
	k.named = k.Name != ""
	if !path.IsAbs(k.Source) {
		k.Source = strings.TrimPrefix(path.Clean(k.Source), "../")
	}
	k.Path = strings.TrimSuffix(k.Source, ".rs")
	if !k.named {
		k.Name = strings.ReplaceAll(path.Base(k.Path), "-", "_")
	}
	switch {
	case kind == "proc-macro":
		k.Role = Macro
	case kind != "rlib":
		return fmt.Errorf("crate type %q is not known", kind)
	case !target:
		k.Role = HostLibrary
	case k.named:
		k.Role = Library
	default:
		k.Role = Driver
	}
	slices.Sort(k.Externs)
	k.Externs = slices.Compact(k.Externs)
	return nil
}

// nextFlag takes the first flag off args, with its value if that is a word of
// its own or follows an equals sign of a long option.
func nextFlag(args []string) (flag, value string, n int) {
	for _, f := range flagsWithValue {
		if args[0] == f && len(args) > 1 {
			return f, args[1], 2
		}
		if v, ok := strings.CutPrefix(args[0], f+"="); ok && strings.HasPrefix(f, "--") {
			return f, v, 1
		}
		if v, ok := strings.CutPrefix(args[0], "-L"); ok && f == "-L" {
			return f, v, 1
		}
	}
	return args[0], "", 1
}

func joinFlag(flag, value string) []string {
	switch {
	case flag == "-L":
		return []string{"-L" + path.Clean(value)}
	case value != "":
		return []string{flag + "=" + value}
	}
	return []string{flag}
}

// droppedPrefixes are flags that only lint, that say where outputs go or how
// paths read in them, or that set the level: all that kvfarm decides itself.
var droppedPrefixes = []string{
	"-W", "-D", "-A", "-F", "--cap-lints", "--emit", "--out-dir", "-Zbinary_dep_depinfo", "--remap-path-",
	"-O", "-Copt-level=", "-Cdebug-assertions=", "-Coverflow-checks=", "-Cdebuginfo=", "-Ccodegen-units=",
}

func dropped(flag string) bool {
	return slices.ContainsFunc(droppedPrefixes, func(p string) bool { return strings.HasPrefix(flag, p) })
}
