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
	h.user = os.Geteuid() != 0
	err = h.tryIn(dir)
	if !h.user && errors.Is(err, syscall.EPERM) {
		h.user = true
		err = h.tryIn(dir)
	}
	if err != nil {
		return fmt.Errorf("%w: %w%s", ErrRefused, err, advice())
	}
	return nil
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

// switches are the ones that forbid namespaces to the unprivileged.
var switches = []struct{ file, forbids, allow string }{
	{"/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
	{"/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"},
}

// advice says what would allow namespaces.
func advice() string {
	for _, s := range switches {
		if v, err := os.ReadFile(s.file); err == nil && strings.TrimSpace(string(v)) == s.forbids {
			return "; run as root, or enable user namespaces: " + s.allow
		}
	}
	return "; namespaces need root, or user namespaces; in a container, the capability SYS_ADMIN (docker: --privileged, or --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined)"
}
