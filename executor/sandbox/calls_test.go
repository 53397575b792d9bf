package sandbox_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/executor/sandbox"
)

// TestCalls holds what the filter of system calls answers.
func TestCalls(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	r := s.run(t, s.spec("calls"))
	want := `add_key EPERM
bpf EPERM
clone(user) EPERM
clone3 ENOSYS
fsopen EPERM
init_module EPERM
io_uring_setup ENOSYS
kexec_load EPERM
keyctl EPERM
mount EPERM
open_by_handle_at EPERM
perf_event_open EPERM
personality EPERM
personality(ask) is allowed
process_vm_readv EPERM
ptrace(attach) EPERM
ptrace(seize) EPERM
setns EPERM
socket(alg) EAFNOSUPPORT
socket(packet) EAFNOSUPPORT
socket(vsock) EAFNOSUPPORT
socket(inet) is allowed
unshare(user) EPERM
unshare(files) is allowed
userfaultfd EPERM
`
	if diff := cmp.Diff(want, string(r.Stdout.Bytes())); diff != "" {
		t.Errorf("(-want +got)\n%s%s", diff, r.Stderr.Bytes())
	}
}

// TestForeignCalls has a program of another architecture, whose calls have
// other numbers, try one. Where the kernel cannot run such programs it fails as
// well.
func TestForeignCalls(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	r := s.run(t, s.spec("foreign", "program"))
	const killedBySIGSYS = 128 + 31
	if cannot := strings.Contains(string(r.Stderr.Bytes()), "exec format error"); r.ExitCode != killedBySIGSYS && !cannot {
		t.Errorf("exit code %d, want %d; stderr %q", r.ExitCode, killedBySIGSYS, r.Stderr.Bytes())
	}
}
