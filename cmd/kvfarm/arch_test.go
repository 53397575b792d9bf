package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// archChecks hold, or fail, for a kernel of arm64 only.
const archChecks = `mod kvfarm;
use kvfarm::{any, check};

/// This is arm64, and warns in its way.
#[no_mangle]
pub extern "C" fn check_arm64() {
    check!(cfg!(CONFIG_ARM64) && cfg!(target_arch = "aarch64") && !cfg!(CONFIG_X86));
    let warns: bool = any();
    check!(kernel::warn_on!(warns) == warns);
}

/// No byte is 7.
#[no_mangle]
pub extern "C" fn check_not_seven() {
    let n: u8 = any();
    check!(n != 7);
}
`

// A tree as it stands is cross-built and verified for another architecture,
// which the environment names as for the kernel's own Makefile.
func TestKernelArm64(t *testing.T) {
	r := newRig(t, newest)
	t.Setenv("ARCH", "arm64")
	t.Setenv("CROSS_COMPILE", "nothing-of-this-name-")
	file := filepath.Join(t.TempDir(), "arch.rs")
	if err := os.WriteFile(file, []byte(archChecks), 0o644); err != nil {
		t.Fatal(err)
	}
	r.flags = []string{"--checks", file}
	rep, code := r.submit("check_arm64", "check_not_seven", "check_delta_as_micros_ceil", "drivers/gpu/drm/drm_panic_qr.rs")
	if code != report.ExitRefuted || len(rep.Errors) > 0 {
		t.Fatalf("status %d, want %d; errors %q\n%s", code, report.ExitRefuted, rep.Errors, r.log)
	}
	if rep.Tree.Arch != "arm64" {
		t.Errorf("the report is of %q", rep.Tree.Arch)
	}
	wantVerdict(t, rep, "check_arm64", pb.Verdict_PROVED)
	wantVerdict(t, rep, "check_delta_as_micros_ceil", pb.Verdict_PROVED)
	wantVerdict(t, rep, "check_not_seven", pb.Verdict_REFUTED)
	wantVerdict(t, rep, "drm_panic_qr_max_data_size", pb.Verdict_REFUTED)
	if !slices.ContainsFunc(rep.Sites, overflowOfURL) {
		t.Errorf("no site is refuted with url_len > usize::MAX - 5")
	}
	for _, s := range rep.Sites {
		if strings.HasSuffix(s.Replay, "native") && runtime.GOARCH != "arm64" {
			t.Errorf("%s:%d: code for arm64 ran on this machine, by %q", s.File, s.Line, s.Replay)
		}
	}
}
