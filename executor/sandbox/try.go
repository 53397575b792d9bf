package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// try makes an empty sandbox, first as this process is, then with a user
// namespace, and settles whether inputs can be stacked.
func (h *Host) try() error {
	if h.cfg.Dir != "" {
		if err := os.MkdirAll(h.cfg.Dir, 0o755); err != nil {
			return fmt.Errorf("try sandbox: %w", err)
		}
	}
	dir, err := os.MkdirTemp(h.cfg.Dir, "kvfarm-sandbox")
	if err != nil {
		return fmt.Errorf("try sandbox: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := makeEmptyRoot(dir); err != nil {
		return fmt.Errorf("try sandbox: %w", err)
	}
	if err := h.tryAs(dir); errors.Is(err, ErrRefused) {
		return err
	} else if err != nil {
		return refused(err)
	}
	return nil
}

// tryAs settles whether a user namespace is needed. Root may need one too: in
// a container that has few capabilities, or no other users.
func (h *Host) tryAs(dir string) error {
	h.user = os.Geteuid() != 0
	err := h.tryIn(dir)
	if err == nil || h.user {
		return err
	}
	h.user = true
	if h.tryIn(dir) == nil {
		return nil
	}
	h.user = false
	return err
}

// tryIn tries to stack inputs, and falls back to copying them.
func (h *Host) tryIn(dir string) error {
	s := Spec{Root: filepath.Join(dir, "root"), Dir: dir, Layers: []string{"layer"}, Scratch: 1 << 20}
	stackErr := h.tryRun(s)
	if stackErr == nil || h.cfg.Copy {
		return stackErr
	}
	h.cfg.Copy = true
	if err := h.tryRun(s); err != nil {
		h.cfg.Copy = false
		return err
	}
	h.notes = append(h.notes, fmt.Sprintf("inputs are copied for each action, for overlayfs does not work here: %v", stackErr))
	return nil
}

func (h *Host) tryRun(s Spec) error {
	r, err := h.Run(context.Background(), s)
	if err != nil {
		return err
	}
	r.Close()
	return nil
}

func makeEmptyRoot(dir string) error {
	for _, m := range MountPoints {
		if err := os.MkdirAll(filepath.Join(dir, "root", m), 0o755); err != nil {
			return err
		}
	}
	return os.Mkdir(filepath.Join(dir, "layer"), 0o755)
}

// refused is err with what would allow sandboxes.
func refused(err error) error { return fmt.Errorf("%w: %w; %s", ErrRefused, err, advice(err)) }

// refusals are what the kernel says to whoever may not have namespaces: not
// allowed, by a filter or a setting, no more of them, or not compiled in.
var refusals = []error{syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EUSERS, syscall.EINVAL, syscall.ENOSYS}

// notStarted is err, of starting a process in new namespaces.
func notStarted(err error) error {
	for _, r := range refusals {
		if errors.Is(err, r) {
			return refused(err)
		}
	}
	return fmt.Errorf("start sandbox: %w", err)
}

// switches are the ones that forbid namespaces to the unprivileged.
var switches = []struct{ file, forbids, allow string }{
	{"/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
	{"/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"},
}

// limited are the namespaces that user.max_*_namespaces limits, for root too.
var limited = []string{"mnt", "pid", "ipc", "uts", "net"}

// advice says what would allow namespaces after err.
func advice(err error) string {
	for _, s := range switches {
		if valueOf(s.file) == s.forbids && os.Geteuid() != 0 {
			return "run as root, or enable user namespaces: " + s.allow
		}
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EUSERS) {
		return "that is namespaces, not disk: " + raise()
	}
	return "namespaces need root, or user namespaces; in a container, the capability SYS_ADMIN (docker: --privileged, or --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined)"
}

// raise names the limits to raise: those that allow none, or any.
func raise() string {
	for _, kind := range limited {
		if valueOf("/proc/sys/user/max_"+kind+"_namespaces") == "0" {
			return "sysctl user.max_" + kind + "_namespaces=10000"
		}
	}
	return "raise the limits user.max_*_namespaces (sysctl -a | grep namespaces), or run fewer actions at a time (--slots)"
}

func valueOf(file string) string {
	v, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(v))
}
