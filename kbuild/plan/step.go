package plan

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// Step is one command outside of rustc that the crates need: it makes Rust out
// of C headers, or bitcode out of the C helpers.
type Step struct {
	Kind   string // "bindgen", "cpp" or "clang"
	Target string // what it makes, relative to the object tree
	Script string // for sh, in the object tree
	Deps   []string
}

// depfile is the argument that asks for a list of dependencies, which the plan
// already holds.
var depfile = regexp.MustCompile(` '?-Wp,-MMD,[^ ]+`)

// Steps picks the commands that generate Rust, and the C helpers. bin is the
// folder of the planning tools, with a trailing slash.
func Steps(commands []*Command, bin string) []*Step {
	var steps []*Step
	for _, c := range commands {
		s := &Step{Target: c.Target, Deps: c.Deps, Script: strings.ReplaceAll(depfile.ReplaceAllString(c.Shell, ""), bin, "")}
		switch tool := strings.TrimPrefix(c.Argv[0], bin); {
		case tool == "rustc":
			continue
		case path.Ext(c.Target) == ".rs":
			s.Kind = "cpp"
			if tool == "bindgen" {
				s.Kind = "bindgen"
			}
		case strings.HasPrefix(c.Target, HelpersStem) && slices.Contains(c.Argv, "-c"):
			s.helpers(c)
		default:
			continue
		}
		steps = append(steps, s)
	}
	return steps
}

// HelpersStem is the path, without suffix, of what kbuild compiles the C
// helpers to, in every kernel that has them in one file.
const HelpersStem = "rust/helpers/helpers"

// helpers turns the compilation of the C helpers into one to bitcode.
func (s *Step) helpers(c *Command) {
	s.Kind, s.Target = "clang", HelpersStem+".bc"
	var words []string
	for i := 0; i < len(c.Argv); i++ {
		switch a := c.Argv[i]; {
		case a == "-o":
			i++
		case a == "-emit-llvm", strings.HasPrefix(a, "-Wp,-MMD,"):
		default:
			words = append(words, quoteWord(a))
		}
	}
	s.Script = strings.Join(append(words, "-g0", "-emit-llvm", "-o", s.Target), " ")
}
