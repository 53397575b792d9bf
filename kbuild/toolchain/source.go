package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// ErrGone says that the distribution no longer has a version. That is not a
// failure of ours: mirrors drop old versions.
var ErrGone = errors.New("the mirror has no such version")

// sourcePackage is what a package of kernel sources is called, and optionally
// an equals sign and its version.
var sourcePackage = regexp.MustCompile(`^(linux-source-[0-9.]+)(?:=([0-9A-Za-z.~+:-]+))?$`)

// Source unpacks the kernel sources of a package, "linux-source-7.2" for the
// newest or "linux-source-7.2=VERSION", where the distribution's own part of the
// version, from the hyphen on, may be left out; it returns the tree's folder. It asks
// the mirror for the newest; if the mirror cannot be reached, the newest of
// what is there will do. Errors: ErrGone.
func (c Cache) Source(ctx context.Context, t *Toolchain, pkg string) (string, error) {
	m := sourcePackage.FindStringSubmatch(pkg)
	if m == nil {
		return "", fmt.Errorf("kernel sources %q: want linux-source-X.Y or linux-source-X.Y=VERSION", pkg)
	}
	unlock, err := c.lock("sources")
	if err != nil {
		return "", err
	}
	defer unlock()
	name, version := m[1], m[2]
	switch {
	case version == "":
		if version, err = c.newest(ctx, t, name); err != nil {
			return c.unpacked(name, err)
		}
	case !strings.Contains(version, "-"):
		if version, err = c.revision(ctx, t, name, version); err != nil {
			return "", err
		}
	}
	dir := c.sources(name, version)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	c.say("kernel sources: downloading %s %s", name, version)
	if err := c.fetch(ctx, t, name, version, dir); err != nil {
		return "", fmt.Errorf("fetch %s %s: %w", name, version, err)
	}
	return dir, nil
}

// sources is the folder of a version of a package.
func (c Cache) sources(name, version string) string {
	return filepath.Join(c.Dir, "sources", name+"_"+strings.ReplaceAll(version, ":", "%3a"))
}

// unpacked returns the version of package name that was unpacked last, where
// cause keeps us from asking for the newest.
func (c Cache) unpacked(name string, cause error) (string, error) {
	dirs, err := filepath.Glob(c.sources(name, "*"))
	if err != nil || len(dirs) == 0 {
		return "", cause
	}
	last, when := "", time.Time{}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err == nil && info.ModTime().After(when) {
			last, when = dir, info.ModTime()
		}
	}
	c.say("kernel sources: taking what is there, %s: %v", last, cause)
	return last, nil
}

// revision returns the whole version of package name that upstream's version
// begins: one that is unpacked already, or the newest such that the mirror has.
func (c Cache) revision(ctx context.Context, t *Toolchain, name, upstream string) (string, error) {
	dirs, err := filepath.Glob(c.sources(name, upstream+"-*"))
	if err == nil && len(dirs) > 0 {
		_, version, _ := strings.Cut(filepath.Base(dirs[len(dirs)-1]), "_")
		return strings.ReplaceAll(version, "%3a", ":"), nil
	}
	versions, err := c.versions(ctx, t, name)
	if err != nil {
		return "", err
	}
	for _, v := range versions {
		if strings.HasPrefix(v, upstream+"-") {
			return v, nil
		}
	}
	return "", fmt.Errorf("look for %s=%s: %w", name, upstream, ErrGone)
}

// newest returns the newest version of package name that the mirror has.
func (c Cache) newest(ctx context.Context, t *Toolchain, name string) (string, error) {
	versions, err := c.versions(ctx, t, name)
	if err != nil {
		return "", err
	}
	if len(versions) == 0 {
		return "", fmt.Errorf("look for %s: %w", name, ErrGone)
	}
	return versions[0], nil
}

// versions lists those of package name that the mirror has, the newest first.
func (c Cache) versions(ctx context.Context, t *Toolchain, name string) ([]string, error) {
	if err := c.inRoot(ctx, t, "apt-get", "-qq", "-o", asRoot, "update"); err != nil {
		return nil, fmt.Errorf("look for %s: %w", name, err)
	}
	out, err := c.output(ctx, t, "apt-cache", "madison", name)
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", name, err)
	}
	var versions []string
	for line := range strings.Lines(string(out)) {
		if f := strings.Split(line, "|"); len(f) == 3 {
			versions = append(versions, strings.TrimSpace(f[1]))
		}
	}
	return versions, nil
}

// fetch downloads and unpacks a package of sources aside, and renames it to dir.
func (c Cache) fetch(ctx context.Context, t *Toolchain, name, version, dir string) error {
	if !c.has(ctx, t, name, version) {
		if err := c.inRoot(ctx, t, "apt-get", "-qq", "-o", asRoot, "update"); err != nil {
			return err
		}
		if !c.has(ctx, t, name, version) {
			return ErrGone
		}
	}
	downloads := filepath.Join(t.Dir, "var/cache/kvfarm")
	if err := os.RemoveAll(downloads); err != nil {
		return err
	}
	if err := os.MkdirAll(downloads, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(downloads)
	if err := c.inRoot(ctx, t, "sh", "-c", `cd /var/cache/kvfarm && exec apt-get -qq -o "$2" download "$1"`, "sh", name+"="+version, asRoot); err != nil {
		return err
	}
	return c.unpack(ctx, t, downloads, name, dir)
}

func (c Cache) has(ctx context.Context, t *Toolchain, name, version string) bool {
	out, err := c.output(ctx, t, "apt-cache", "madison", name)
	return err == nil && strings.Contains(string(out), " "+version+" ")
}

// unpack takes the sources out of the one package in downloads.
func (c Cache) unpack(ctx context.Context, t *Toolchain, downloads, name, dir string) error {
	c.say("kernel sources: unpacking")
	if err := c.inRoot(ctx, t, "sh", "-ec", `cd /var/cache/kvfarm
dpkg-deb -x *.deb package
mkdir tree
tar -C tree --strip-components=1 --no-same-owner -xf package/usr/src/"$1".tar.xz`, "sh", name); err != nil {
		return err
	}
	err := os.Rename(filepath.Join(downloads, "tree"), dir)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// asRoot keeps apt from becoming another user, which a user namespace has not.
const asRoot = "APT::Sandbox::User=root"

// inRoot runs a command in t's root, which it may change.
func (c Cache) inRoot(ctx context.Context, t *Toolchain, args ...string) error {
	argv := inRoot(t, args...)
	return c.command(ctx, argv[0], argv[1:]...)
}

// output is what a command in t's root writes.
func (c Cache) output(ctx context.Context, t *Toolchain, args ...string) ([]byte, error) {
	argv := inRoot(t, args...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = environment()
	return cmd.Output()
}

// inRoot is the command line that runs args in t's root.
func inRoot(t *Toolchain, args ...string) []string {
	argv := append([]string{"chroot", t.Dir}, args...)
	if privileged() {
		return argv
	}
	return append([]string{"unshare", "--user", "--map-root-user"}, argv...)
}
