package toolchain

import (
	"path"
	"slices"
	"strings"
)

// What the farm gets of a root is listed rather than what it does not get, at
// least where a distribution keeps what changes: state, logs, caches and the
// machine's identity never come along.

// keptTop are the folders and links at the top of a root.
var keptTop = []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "usr", "dev", "proc", "sys", "tmp"}

// keptBelow lists, for some folders, all that is kept in them.
var keptBelow = map[string][]string{
	"etc": {"alternatives", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "nsswitch.conf", "passwd", "perl",
		"python3", "python3.13"},
	"usr":         {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "include", "share", "src"},
	"usr/share":   {"bison", "perl", "perl5"},
	"usr/include": {"arpa", "asm-generic", "linux", "net", "netinet", "x86_64-linux-gnu"}, // and plain headers
	"dev":         {},
	"proc":        {},
	"sys":         {},
	"tmp":         {},
}

// dropped are paths that nothing in a build of the kernel's Rust opens.
var dropped = []string{
	"usr/lib/apt", "usr/lib/dpkg", "usr/lib/gcc/*/*/cc1*", "usr/lib/gcc/*/*/plugin", "usr/lib/git-core",
	"usr/lib/llvm-19", "usr/lib/llvm-22/bin/llvm-exegesis", "usr/lib/llvm-22/bin/*2yaml", "usr/lib/llvm-22/bin/yaml2*",
	"usr/lib/llvm-22/bin/llvm-tblgen", "usr/lib/locale", "usr/lib/systemd", "usr/lib/udev",
	"usr/lib/x86_64-linux-gnu/gconv", "usr/lib/x86_64-linux-gnu/libLLVM*19*",
	"usr/lib/x86_64-linux-gnu/libclang-19*", "usr/lib/x86_64-linux-gnu/libclang-22*",
	"usr/lib/x86_64-linux-gnu/lib[at]san*", "usr/lib/x86_64-linux-gnu/libhwasan*", "usr/lib/x86_64-linux-gnu/libgprofng*",
	"usr/lib/x86_64-linux-gnu/gprofng", "usr/lib/x86_64-linux-gnu/perl/*/CORE",
	"usr/lib/ssl", "usr/lib/bfd-plugins", "usr/lib/compat-ld", "usr/lib/gold-ld", "usr/lib/*/libapt*",
	"usr/bin/apt*", "usr/bin/debconf*", "usr/bin/dpkg*", "usr/bin/*gprofng*", "usr/bin/gp-*", "usr/bin/*-lto-dump*",
	"usr/bin/rustdoc",
}

// keptSources are the parts of Rust's sources that the kernel compiles, and
// what those parts include.
var keptSources = []string{"core", "alloc", "portable-simd", "stdarch"}

// keptArchives are static libraries that linking dynamically needs: all are small.
var keptArchives = []string{"libc_nonshared.a", "libmvec_nonshared.a", "libgcc.a", "libgcc_eh.a", "libdl.a", "libm.a",
	"libpthread.a", "librt.a", "libutil.a"}

// skip reports whether the entry at a path of a root stays away from the farm.
func skip(p string, isDir bool) bool {
	dir, name := path.Split(p)
	dir = strings.TrimSuffix(dir, "/")
	switch {
	case dir == "" && !slices.Contains(keptTop, name):
		return true
	case dir == "usr/include" && !isDir:
		return false
	case keptBelow[dir] != nil && !slices.Contains(keptBelow[dir], name):
		return true
	case name == "__pycache__", strings.HasPrefix(dir, "etc") && strings.HasSuffix(name, "-"):
		return true
	case path.Ext(name) == ".a" && !slices.Contains(keptArchives, name):
		return true
	}
	return skipSource(p) || slices.ContainsFunc(dropped, func(pattern string) bool {
		ok, _ := path.Match(pattern, p)
		return ok
	})
}

// skipSource prunes usr/src/rustc-VERSION/library.
func skipSource(p string) bool {
	parts := strings.Split(p, "/")
	if len(parts) < 4 || parts[0] != "usr" || parts[1] != "src" {
		return false
	}
	if parts[3] != "library" {
		return true
	}
	return len(parts) > 4 && !slices.Contains(keptSources, parts[4]) ||
		len(parts) > 5 && slices.Contains([]string{"tests", "benches", "coretests", "alloctests"}, parts[5])
}
