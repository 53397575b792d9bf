package source_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/kbuild/source"
)

// kernel is a kernel tree in small: what Scan takes is listed in TestScan.
func kernel() map[string]string {
	return map[string]string{
		"Kbuild": "targets := kernel/bounds.s\nx: arch/$(SRCARCH)/kernel/asm-offsets.s kernel/time/timeconst.bc\n", "Kconfig": "", "Makefile": "",
		"scripts/Makefile.build": "", "scripts/basic/fixdep.c": "#include <tools/be_byteshift.h>", "scripts/gdb/x.py": "",
		"init/Kconfig": "", "init/main.c": "",
		"arch/Kconfig":      "",
		"arch/x86/Makefile": "", "arch/x86/Kconfig": "", "arch/x86/configs/x86_64_defconfig": "", "arch/x86/boot/main.c": "",
		"arch/x86/kernel/asm-offsets.c": "#include <linux/a.h>\n#include <linux/made.h>", "arch/x86/kernel/other.c": "", "arch/x86/include/asm/z.h": "",
		"arch/x86/include/generated/asm/g.h": "built", "arch/x86/entry/syscalls/syscall_32.tbl": "", "arch/x86/entry/other.S": "",
		"arch/arm/Kconfig": "", "arch/arm/include/asm/z.h": "", "arch/arm/x.rs": "",
		"kernel/bounds.c": "#include \"near.h\"\n# include <linux/b.h>", "kernel/near.h": "", "kernel/time/timeconst.bc": "",
		"include/linux/a.h": "#include <asm/z.h>\n#include <uapi/u.h>\n#include TRACE\n#include \"\n", "include/uapi/u.h": "",
		"include/linux/b.h": "#include <../../drivers/base/base.h>", "include/linux/unused.h": "", "include/linux/kconfig.h": "#include <generated/autoconf.h>",
		"include/generated/autoconf.h": "built", "include/config/auto.conf": "built", "include/asm-generic/y.h": "",
		"drivers/base/base.h": "", "drivers/base/Makefile": "", "drivers/Makefile": "", "drivers/Kconfig": "",
		"drivers/r/Makefile": "", "drivers/r/r.rs": "", "drivers/r/r.o": "built", "drivers/r/.r.o.cmd": "built", "drivers/r/c.c": "",
		"rust/Makefile": "", "rust/kernel/lib.rs": "", "rust/helpers/helpers.c": "#include \"h.c\"", "rust/helpers/h.c": "#include <linux/a.h>",
		"rust/bindings/bindings_generated.rs": "built", "rust/bindings/.bindings_generated.rs.cmd": "", "rust/libmacros.so": "built",
		"scripts/basic/fixdep": "built", "scripts/basic/.fixdep.cmd": "", "scripts/target.json": "built",
		"include/linux/made.h": "built", "include/linux/.made.h.cmd": "",
		"Documentation/Kconfig": "", "Documentation/x/Kconfig": "", "tools/x.h": "",
	}
}

func TestScan(t *testing.T) {
	tr, err := source.Scan(write(t, kernel()), "x86")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"config": {"Documentation/Kconfig", "Kconfig", "Makefile", "arch/Kconfig", "arch/arm/Kconfig", "arch/x86/Kconfig",
			"arch/x86/Makefile", "arch/x86/configs/x86_64_defconfig", "drivers/Kconfig", "init/Kconfig",
			"scripts/Makefile.build", "scripts/basic/fixdep.c"},
		"build": {"Kbuild", "arch/x86/entry/syscalls/syscall_32.tbl", "arch/x86/include/asm/z.h", "arch/x86/kernel/asm-offsets.c", "drivers/Makefile",
			"drivers/base/base.h", "drivers/r/Makefile", "include/asm-generic/y.h", "include/linux/a.h", "include/linux/b.h",
			"include/linux/kconfig.h", "include/uapi/u.h", "kernel/bounds.c", "kernel/near.h", "kernel/time/timeconst.bc",
			"rust/Makefile", "rust/helpers/h.c", "rust/helpers/helpers.c"},
		"rust": {"drivers/r/r.rs", "rust/kernel/lib.rs"},
	}
	if d := cmp.Diff(want, map[string][]string{"config": tr.Config, "build": tr.Build, "rust": tr.Rust}); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
}

// Whatever the architecture, its system calls are compared with those of 32-bit x86.
func TestScanOther(t *testing.T) {
	files := kernel()
	files["arch/arm/Makefile"] = ""
	tr, err := source.Scan(write(t, files), "arm")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"arch/arm/include/asm/z.h", "arch/x86/entry/syscalls/syscall_32.tbl"} {
		if !slices.Contains(tr.Build, want) {
			t.Errorf("%s is not taken", want)
		}
	}
	for _, p := range append(tr.Build, tr.Config...) {
		if strings.HasPrefix(p, "arch/x86/include/") || p == "arch/x86/Makefile" {
			t.Errorf("%s is taken", p)
		}
	}
}

func TestScanRefuses(t *testing.T) {
	tests := []struct{ name, without, arch, want string }{
		{"no kernel", "Kbuild", "x86", "is no kernel tree"},
		{"no Rust", "rust/kernel/lib.rs", "x86", "no Rust in this tree"},
		{"no such architecture", "", "pdp11", `architecture "pdp11"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := kernel()
			delete(files, tt.without)
			_, err := source.Scan(write(t, files), tt.arch)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
			if errors.Is(err, source.ErrNoRust) != (tt.name == "no Rust") {
				t.Errorf("error = %v: wrong kind", err)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	dir := write(t, kernel())
	tr, err := source.Scan(dir, "x86")
	if err != nil {
		t.Fatal(err)
	}
	files, err := tr.Digest([]string{"Kbuild", "kernel/near.h"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"Kbuild", "kernel/near.h"}, slices.Sorted(maps.Keys(files))); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	if got := files["kernel/near.h"].Digest; got != digest.Empty {
		t.Errorf("digest of an empty file = %v", got)
	}
	if _, err := tr.Digest([]string{"gone"}); err == nil {
		t.Error("a file that is gone is no error")
	}
}
