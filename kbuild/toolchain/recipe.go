// Package toolchain makes the root file systems in which actions and our own
// builds run, and fetches kernel sources through them.
//
// A root is made by mmdebstrap from the machine's own mirror and kept in the
// user's cache, in a folder named after its recipe. The farm gets a part of it,
// without what no action needs and what differs from one making to the next.
package toolchain

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// Recipe says what a root is made of. A change of it makes a new root.
type Recipe struct {
	Name     string            // for people
	Suite    string            // of Debian
	Packages []string          // to install, with what they need
	Pins     []string          // source packages that come from the suite's backports
	Env      map[string]string // that commands in the root want
	Farm     bool              // actions run in it: it is digested and imported
	Asked    bool              `json:"-"` // made only when it is asked for by name
}

// version is part of every recipe's key: a change of how roots are made or
// pruned makes new ones.
const version = 1

// llvmPath has LLVM's programs under the names that the kernel's LLVM=1 uses.
const llvmPath = "/usr/lib/llvm-22/bin:/usr/bin:/bin"

// Recipes are the roots that kvfarm uses, by what for.
var Recipes = []Recipe{
	{
		Name:  "kernel",
		Suite: "trixie",
		Pins:  []string{"rustc", "llvm-toolchain-21", "llvm-toolchain-22"},
		Packages: []string{
			"rustc", "rust-src", "clang-22", "lld-22", "llvm-22", "bindgen",
			// bindgen 0.71 makes empty structs with libclang 22, and 19 does not know the kernel's flags.
			"libclang1-21",
			"libc6-dev", "make", "flex", "bison", "bc", "perl", "python3", "xz-utils",
		},
		Env:  map[string]string{"PATH": llvmPath, "LIBCLANG_PATH": "/usr/lib/llvm-21/lib"},
		Farm: true,
	},
	{
		Name:  "sdk",
		Suite: "trixie",
		Pins:  []string{"llvm-toolchain-22"},
		Packages: []string{
			"g++", "llvm-22-dev", "clang-22", "llvm-22", "libcadical-dev", "libc6-dev",
			"zlib1g-dev", "libzstd-dev", "libxml2-dev",
		},
		Env: map[string]string{"PATH": llvmPath},
	},
	{
		// Other provers, to compare speed with: nothing that is kept comes from here.
		Name:     "peers",
		Suite:    "trixie",
		Packages: []string{"cbmc", "gcc", "libc6-dev"},
		Asked:    true,
	},
	{
		// Other clients and servers of the Remote Execution API, to test and
		// compare our server with.
		Name:     "clients",
		Suite:    "sid",
		Packages: []string{"bazel-bootstrap", "siso", "buildbox", "justbuild", "g++", "libc6-dev", "zip", "unzip"},
		Asked:    true,
	},
}

// RecipeFor returns the recipe called name.
func RecipeFor(name string) (Recipe, error) {
	var names []string
	for _, r := range Recipes {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return Recipe{}, fmt.Errorf("no toolchain %q; there are: %s", name, strings.Join(names, ", "))
}

// key names the folder of r's root.
func (r Recipe) key() string {
	b, err := json.Marshal(struct {
		Recipe
		Version int
	}{r, version})
	if err != nil {
		panic(err) // strings and lists of strings
	}
	return r.Name + "-" + digest.Of(b).Hash[:12]
}

// preferences is apt's file that takes r.Pins from backports.
func (r Recipe) preferences() string {
	var b strings.Builder
	for _, p := range r.Pins {
		fmt.Fprintf(&b, "Package: src:%s\nPin: release n=%s-backports\nPin-Priority: 600\n\n", p, r.Suite)
	}
	return b.String()
}
