package plan

import (
	"path"
	"slices"
	"strings"
)

// Level is how a crate of the target is compiled.
type Level uint8

// The levels.
const (
	// Verify is what is verified: optimised as rustc does, not as LLVM does; overflow checks
	// on, debug assertions off; debug info for positions only, which leaves the code unchanged.
	Verify Level = iota
	// Types is Verify with all debug info. Its code differs from Verify's: it serves only to read types.
	Types
)

var levelFlags = []string{
	"-Copt-level=2", "-Cno-prepopulate-passes", "-Coverflow-checks=on", "-Cdebug-assertions=off", "-Ccodegen-units=1",
}

// hostFlags say that the compiler is done soon: unoptimised, what runs in the
// compiler compiles in a fifth of the time and costs its users little. What
// macros produce is the same.
var hostFlags = []string{"-Copt-level=0", "-Coverflow-checks=off", "-Cdebug-assertions=off"}

// LevelFlags are the arguments of rustc that make up l.
func LevelFlags(l Level) []string { return append(slices.Clone(levelFlags), debugInfo[l]) }

var debugInfo = map[Level]string{Verify: "-Cdebuginfo=1", Types: "-Cdebuginfo=2"}

// Compilation is how a crate is compiled: the arguments of rustc, run in the
// object tree, and what it leaves there.
type Compilation struct {
	Argv     []string
	Bitcode  string // empty for host crates
	Metadata string // what dependents read; empty for drivers and for Types
}

// Outputs lists the files that the compilation leaves.
func (c *Compilation) Outputs() []string {
	var out []string
	for _, p := range []string{c.Bitcode, c.Metadata} {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// Compile says how to compile k at level l. The kernel tree is the parent of
// the object tree; mount is its absolute path, which no output may show.
func (k *Crate) Compile(l Level, mount string) *Compilation {
	c := &Compilation{Argv: append([]string{"rustc"}, k.Flags...)}
	c.Argv = append(c.Argv, "--cap-lints=allow", "--remap-path-prefix=../=", "--remap-path-prefix="+mount+"/=")
	switch k.Role {
	case HostLibrary:
		c.Metadata = k.stem + ".rlib"
		c.Argv = append(append(c.Argv, hostFlags...), "--crate-type=rlib", "--emit=link="+c.Metadata)
	case Macro:
		c.Metadata = k.stem + ".so"
		c.Argv = append(append(c.Argv, hostFlags...), "--crate-type=proc-macro", "--emit=link="+c.Metadata)
	default:
		k.target(c, l)
	}
	if k.named {
		c.Argv = append(c.Argv, "--crate-name="+k.Name)
	}
	c.Argv = append(c.Argv, k.sourceArg())
	return c
}

func (k *Crate) target(c *Compilation, l Level) {
	c.Bitcode = k.stem + ".bc"
	c.Argv = append(append(c.Argv, LevelFlags(l)...), "--crate-type=rlib")
	emit := "--emit=llvm-bc=" + c.Bitcode
	if k.Role == Library && l == Verify {
		c.Metadata = path.Join(path.Dir(k.stem), "lib"+k.Name+".rmeta")
		emit += ",metadata=" + c.Metadata
	}
	c.Argv = append(c.Argv, emit)
}

// Like returns a crate called name, with the root file source in the kernel
// tree, that is compiled as k is.
func (k *Crate) Like(name, source string) *Crate {
	c := *k
	c.Name, c.Source, c.named = name, source, true
	c.Path = strings.TrimSuffix(source, ".rs")
	c.stem = path.Join(path.Dir(source), name)
	return &c
}

func (k *Crate) sourceArg() string {
	if path.IsAbs(k.Source) {
		return k.Source
	}
	return "../" + k.Source
}
