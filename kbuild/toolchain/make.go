package toolchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// Cache is the folder where roots and kernel sources are kept.
type Cache struct {
	Dir string
	Log io.Writer // lines on what is being done
}

// Toolchain is a root that is made.
type Toolchain struct {
	Name     string
	Dir      string            `json:"-"` // its root file system
	Root     digest.Digest     // of the part that the farm gets; zero if it gets none
	Files    int               // in that part
	Bytes    int64             // of those files together
	Packages []Package         // installed
	Env      map[string]string // that commands in it want
	Made     time.Time
}

// Package is an installed package of the distribution.
type Package struct{ Name, Version string }

const (
	metaFile = "toolchain.json"
	rootDir  = "root"
)

// Make makes the roots of recipes that are not there, all at a time: most of the work is dpkg's, which has one thread.
// A second call waits for the first one. It needs mmdebstrap, and root or user namespaces.
func (c Cache) Make(ctx context.Context, recipes ...Recipe) ([]*Toolchain, error) {
	if made, err := c.openAll(recipes); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return made, err
	}
	unlock, err := c.lock("toolchains")
	if err != nil {
		return nil, err
	}
	defer unlock()
	made := make([]*Toolchain, len(recipes))
	var group errgroup.Group // what others have begun is finished and kept, though one fails
	for i, r := range recipes {
		group.Go(func() (err error) {
			if made[i], err = c.Open(r); err == nil || !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if made[i], err = c.make(ctx, r); err != nil {
				return fmt.Errorf("make toolchain %s: %w", r.Name, err)
			}
			return nil
		})
	}
	return made, group.Wait()
}

func (c Cache) openAll(recipes []Recipe) (all []*Toolchain, err error) {
	all = make([]*Toolchain, len(recipes))
	for i, r := range recipes {
		if all[i], err = c.Open(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c Cache) make(ctx context.Context, r Recipe) (*Toolchain, error) {
	final := c.folder(r)
	aside, err := os.MkdirTemp(filepath.Dir(final), ".making-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(aside)
	if err := os.Chmod(aside, 0o755); err != nil { // commands in the root run as other users
		return nil, err
	}
	c.say("toolchain %s: installing %d packages and what they need", r.Name, len(r.Packages))
	start := time.Now()
	if err := c.bootstrap(ctx, r, aside); err != nil {
		return nil, err
	}
	t := &Toolchain{Name: r.Name, Dir: filepath.Join(aside, rootDir), Env: r.Env, Made: start.UTC().Truncate(time.Second)}
	if t.Packages, err = packages(ctx, t.Dir); err != nil {
		return nil, err
	}
	if r.Farm {
		c.say("toolchain %s: digesting", r.Name)
		if err := t.digest(ctx); err != nil {
			return nil, err
		}
	}
	if err := t.save(filepath.Join(aside, metaFile)); err != nil {
		return nil, err
	}
	if err := os.Rename(aside, final); err != nil {
		return nil, err
	}
	t.Dir = filepath.Join(final, rootDir)
	c.say("toolchain %s: made in %v: %s", r.Name, time.Since(start).Round(time.Second), t.Dir)
	return t, nil
}

// bootstrap installs r below aside.
func (c Cache) bootstrap(ctx context.Context, r Recipe, aside string) error {
	mirror, err := mirror(ctx)
	if err != nil {
		return err
	}
	options, err := aptOptions(ctx)
	if err != nil {
		return err
	}
	pins := filepath.Join(aside, "preferences")
	if err := os.WriteFile(pins, []byte(r.preferences()), 0o644); err != nil {
		return err
	}
	args := []string{"--quiet", "--variant=apt", "--include=" + strings.Join(r.Packages, ","),
		"--aptopt=APT::Install-Recommends \"false\"",
		"--setup-hook=mkdir -p \"$1/etc/apt/preferences.d\"",
		"--setup-hook=copy-in " + pins + " /etc/apt/preferences.d"}
	for _, o := range options {
		args = append(args, "--aptopt="+o)
	}
	suites := []string{"deb " + mirror + " " + r.Suite + " main"}
	if len(r.Pins) > 0 {
		suites = append(suites, "deb "+mirror+" "+r.Suite+"-backports main")
	}
	target := filepath.Join(aside, rootDir)
	if privileged() {
		return c.command(ctx, "mmdebstrap", append(append(args, r.Suite, target), suites...)...)
	}
	// Files of a root that others than root install belong to ids that only a
	// user namespace has. A tar archive of them becomes the user's own.
	archive := filepath.Join(aside, "root.tar")
	if err := c.command(ctx, "mmdebstrap", append(append(args, "--mode=unshare", r.Suite, archive), suites...)...); err != nil {
		return fmt.Errorf("%w\n(without being root this needs the package uidmap, and lines for you in /etc/subuid and /etc/subgid)", err)
	}
	return c.untar(ctx, archive, target)
}

// untar unpacks a root but for its devices, which only root can make.
func (c Cache) untar(ctx context.Context, archive, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := c.command(ctx, "tar", "-C", dir, "--no-same-owner", "--exclude=./dev/*", "-xf", archive); err != nil {
		return err
	}
	return os.Remove(archive)
}

func privileged() bool { return os.Geteuid() == 0 }

// command runs a program whose own words matter only if it fails.
func (c Cache) command(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it unmounts and cleans up
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, tail(out))
	}
	return nil
}

// environment is that of programs that make roots. The distribution keeps
// chroot where only root's PATH leads.
func environment() []string {
	return append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
}

// tail returns the last lines of a program's output.
func tail(b []byte) string {
	const lines = 15
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// packages lists what is installed in root dir.
func packages(ctx context.Context, dir string) ([]Package, error) {
	out, err := exec.CommandContext(ctx, "dpkg-query", "--admindir="+filepath.Join(dir, "var/lib/dpkg"),
		"-W", "-f", "${Package} ${Version}\n").Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	var ps []Package
	for line := range strings.Lines(string(out)) {
		name, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		ps = append(ps, Package{name, version})
	}
	return ps, nil
}

// Open returns the root of r. Errors: fs.ErrNotExist if it is not made.
func (c Cache) Open(r Recipe) (*Toolchain, error) {
	return open(c.folder(r))
}

func open(dir string) (*Toolchain, error) {
	b, err := os.ReadFile(filepath.Join(dir, metaFile))
	if err != nil {
		return nil, fmt.Errorf("open toolchain: %w", err)
	}
	t := &Toolchain{Dir: filepath.Join(dir, rootDir)}
	if err := json.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("open toolchain %s: %w", dir, err)
	}
	return t, nil
}

// Find returns the toolchain in which the kernel is built, if dir has it.
func Find(dir string) (*Toolchain, error) {
	t, err := Cache{Dir: dir}.Open(Recipes[0])
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; `kvfarm toolchain make` makes it", err)
	}
	return t, err
}

// List returns all roots that are there, also those of former recipes.
func (c Cache) List() ([]*Toolchain, error) {
	dirs, err := filepath.Glob(filepath.Join(c.Dir, "toolchains", "*", metaFile))
	if err != nil {
		return nil, err
	}
	var ts []*Toolchain
	for _, d := range dirs {
		t, err := open(filepath.Dir(d))
		if err != nil {
			return nil, err
		}
		ts = append(ts, t)
	}
	return ts, nil
}

func (t *Toolchain) save(path string) error {
	b, err := json.MarshalIndent(t, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func (c Cache) folder(r Recipe) string { return filepath.Join(c.Dir, "toolchains", r.key()) }

// lock makes the folder called name and holds it against other processes.
func (c Cache) lock(name string) (unlock func(), err error) {
	dir := filepath.Join(c.Dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make cache: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock cache: %w", err)
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		c.say("waiting for another kvfarm to finish with %s", dir)
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			return nil, errors.Join(fmt.Errorf("lock cache: %w", err), f.Close())
		}
	}
	return func() { _ = f.Close() }, nil
}

func (c Cache) say(format string, args ...any) {
	if c.Log != nil {
		fmt.Fprintf(c.Log, format+"\n", args...)
	}
}
