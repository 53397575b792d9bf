package toolchain

import "testing"

func TestSkip(t *testing.T) {
	tests := []struct {
		path string
		dir  bool
		skip bool
	}{
		{"usr", true, false}, {"bin", false, false}, {"lib64", false, false},
		{"var", true, true}, {"root", true, true}, {"home", true, true}, {"run", true, true},
		{"etc/passwd", false, false}, {"etc/alternatives", true, false}, {"etc/ld.so.cache", false, false},
		{"etc/machine-id", false, true}, {"etc/hostname", false, true}, {"etc/resolv.conf", false, true}, {"etc/apt", true, true},
		{"etc/group-", false, true},
		{"usr/bin/clang", false, false}, {"usr/bin/apt-get", false, true}, {"usr/bin/dpkg", false, true},
		{"usr/share/bison", true, false}, {"usr/share/doc", true, true}, {"usr/share/man", true, true}, {"usr/share/locale", true, true},
		{"usr/include/stdio.h", false, false}, {"usr/include/linux", true, false}, {"usr/include/openssl", true, true},
		{"usr/lib/python3.13/__pycache__", true, true}, {"usr/lib/python3.13/os.py", false, false},
		{"usr/lib/x86_64-linux-gnu/libc.a", false, true}, {"usr/lib/x86_64-linux-gnu/libc_nonshared.a", false, false},
		{"usr/lib/x86_64-linux-gnu/libLLVM.so.22.1", false, false}, {"usr/lib/x86_64-linux-gnu/libLLVM.so.19.1", false, true},
		{"usr/lib/x86_64-linux-gnu/libclang-21.so.21", false, false},
		{"usr/src/rustc-1.96.1", true, false}, {"usr/src/rustc-1.96.1/library", true, false}, {"usr/src/rustc-1.96.1/compiler", true, true},
		{"usr/src/rustc-1.96.1/library/core", true, false}, {"usr/src/rustc-1.96.1/library/std", true, true},
		{"usr/src/rustc-1.96.1/library/core/src", true, false}, {"usr/src/rustc-1.96.1/library/core/benches", true, true},
		{"usr/src/rustc-1.96.1/library/stdarch/crates/core_arch/src/mod.rs", false, false},
		{"proc/1", true, true}, {"dev/null", false, true}, {"tmp/x", false, true},
	}
	for _, tt := range tests {
		if got := skip(tt.path, tt.dir); got != tt.skip {
			t.Errorf("skip %s = %v, want %v", tt.path, got, tt.skip)
		}
	}
}

func TestPickMirror(t *testing.T) {
	const security = "http://a/security trixie-security\n"
	tests := []struct{ name, lines, codename, want string }{
		{"plain", security + "http://a/debian trixie stable\nhttp://b/debian trixie-updates stable-updates\n", "trixie", "http://a/debian"},
		{"before the first update", "http://a/debian  trixie\n", "trixie", "http://a/debian"},
		{"updates alone", security + "http://b/debian trixie-updates\n", "trixie", "http://b/debian"},
		{"other release", "http://a/debian sid\n", "bookworm", ""},
		{"security alone", security, "trixie", ""},
		{"nothing", "", "trixie", ""},
	}
	for _, tt := range tests {
		got, err := pickMirror(tt.lines, tt.codename)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s: mirror = %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}
