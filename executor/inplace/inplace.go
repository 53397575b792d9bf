// Package inplace runs commands in input roots that the worker of another farm
// has laid out, in the sandbox of our own workers, and leaves outputs there.
package inplace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/kvfarm/kvfarm/executor/sandbox"
)

// Errors that are the action's fault.
var (
	// ErrNoRoot says that an action does not bring the root that it should.
	ErrNoRoot = errors.New("action does not bring the root that platform property kvfarm-root names")
	// ErrName says that an input root cannot be mounted.
	ErrName = errors.New("a name with one of : , \\ cannot be mounted")
)

// Config says what a Runner runs, and how.
type Config struct {
	// Dir is a folder above all input roots.
	Dir string
	// Root is the folder of each input root that becomes "/". Empty: "/" has
	// nothing in it.
	Root string
	// Memory is the limit of an action in bytes. Zero: none.
	Memory int64
	// Outputs is how many bytes an action may leave. Zero: 16 GiB.
	Outputs int64
	Host    *sandbox.Host
}

// Runner runs commands. Close gives up what it holds.
type Runner struct {
	cfg   Config
	dir   *os.Root
	empty string // a root with nothing in it
}

// New returns a Runner.
func New(cfg Config) (*Runner, error) {
	if !cfg.Host.Stacks() {
		return nil, fmt.Errorf("run commands in %s: overlayfs does not work there, and without it changes to inputs cannot be told from the rest; put it on ext4, xfs, btrfs or tmpfs", cfg.Dir)
	}
	if cfg.Root != "" && !filepath.IsLocal(cfg.Root) {
		return nil, fmt.Errorf("root %q is no folder of an input root", cfg.Root)
	}
	if strings.ContainsAny(cfg.Dir, unmountable) {
		return nil, fmt.Errorf("run commands in %s: %w", cfg.Dir, ErrName)
	}
	if cfg.Outputs == 0 {
		cfg.Outputs = 16 << 30
	}
	dir, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of input roots: %w", err)
	}
	r := &Runner{cfg: cfg, dir: dir}
	if r.empty, err = os.MkdirTemp("", "kvfarm-root"); err == nil {
		err = errors.Join(os.Chmod(r.empty, 0o755), mountPoints(r.empty))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make an empty root: %w", err), r.Close())
	}
	return r, nil
}

// Close removes what New made.
func (r *Runner) Close() error { return errors.Join(r.dir.Close(), os.RemoveAll(r.empty)) }

// Dir is Config.Dir, which no path leads out of.
func (r *Runner) Dir() *os.Root { return r.dir }

// unmountable are characters that overlayfs takes for more than a name.
const unmountable = `:,\`

// Run runs a command in an input root and settles there what it did. aside is a
// folder for temporary files beside it. Both are relative to Config.Dir. Of s it
// uses Argv, Env, WorkDir, Stdout and Stderr. The caller closes the Result.
func (r *Runner) Run(ctx context.Context, inputs, aside string, s sandbox.Spec) (*sandbox.Result, error) {
	if strings.ContainsAny(inputs, unmountable) {
		return nil, fmt.Errorf("input root %q: %w", inputs, ErrName)
	}
	root, err := r.prepare(inputs, aside)
	if err != nil {
		return nil, fmt.Errorf("prepare input root: %w", err)
	}
	s.Root, s.Dir, s.Layers, s.Memory, s.Settles = root, r.cfg.Dir, []string{inputs}, r.cfg.Memory, true
	left, err := r.cfg.Host.Run(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := left.Settle(filepath.Join(r.cfg.Dir, inputs), r.cfg.Outputs); err != nil {
		left.Close()
		return nil, err
	}
	return left, nil
}

// prepare takes the root out of an input root and returns where it is. What is
// left gets the owner and the modes that it has on our own workers.
func (r *Runner) prepare(inputs, aside string) (root string, err error) {
	if r.cfg.Root == "" {
		return r.empty, r.give(inputs)
	}
	inside, outside := path.Join(inputs, r.cfg.Root), path.Join(aside, "kvfarm-root")
	if info, err := r.dir.Lstat(inside); err != nil || !info.IsDir() {
		return "", fmt.Errorf("%w: folder %s", ErrNoRoot, r.cfg.Root)
	}
	if err := r.dir.Rename(inside, outside); err != nil {
		return "", err
	}
	root = filepath.Join(r.cfg.Dir, outside)
	if err := mountPoints(root); err != nil {
		return "", err
	}
	return root, r.give(inputs)
}

// mountPoints makes the folders that the sandbox mounts something on.
func mountPoints(root string) error {
	for _, name := range sandbox.MountPoints {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// give lets the command write over its inputs, as it may on our own workers.
// Others link files that they keep for later actions into an input root; those
// are safe, since the sandbox shows the command a layer above them and Settle
// writes none in place.
func (r *Runner) give(inputs string) error {
	uid, gid, can := r.cfg.Host.Owner()
	return fs.WalkDir(r.dir.FS(), inputs, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if can {
			if err := r.dir.Lchown(at, uid, gid); err != nil {
				return err
			}
		}
		info, err := e.Info()
		if err != nil || e.Type()&fs.ModeSymlink != 0 {
			return err
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		if info.Mode().Perm() == mode {
			return nil
		}
		return r.dir.Chmod(at, mode)
	})
}
