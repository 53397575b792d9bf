package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// cgroupMount is where every distribution mounts cgroups.
const cgroupMount = "/sys/fs/cgroup"

// groups hands out control groups, one per sandbox, that are used again. A nil
// *groups hands out nil groups, which limit nothing.
type groups struct {
	layout layout
	mount  string // of all cgroups
	parent string // below each controller's folder
	serial atomic.Int64
	mu     sync.Mutex
	free   []*group
}

// layout is what differs between the two versions of cgroups.
type layout struct {
	controllers map[string]string // folder, below the mount, that each one is in
	memory      []setting         // in this order when set to a limit
	unlimited   string
	usage       string // the file that says how many bytes are charged
	events      string // the file that counts kills for want of memory
	seats       int64  // threads of ours in a group, which count as processes
	networks    bool   // a group has a network namespace for its sandboxes
}

type setting struct {
	file     string
	value    string // "%d" stands for the limit
	optional bool   // the kernel may lack the file
}

var version1 = layout{
	controllers: map[string]string{"memory": "memory", "pids": "pids"},
	memory: []setting{
		{file: "memory.memsw.limit_in_bytes", value: "-1", optional: true},
		{file: "memory.limit_in_bytes", value: "%d"},
		{file: "memory.memsw.limit_in_bytes", value: "%d", optional: true},
	},
	unlimited: "-1",
	usage:     "memory.usage_in_bytes",
	events:    "memory.oom_control",
	seats:     1,
}

var version2 = layout{
	controllers: map[string]string{"memory": "", "pids": ""},
	memory: []setting{
		{file: "memory.max", value: "%d"},
		{file: "memory.swap.max", value: "0", optional: true},
	},
	unlimited: "max",
	usage:     "memory.current",
	events:    "memory.events",
}

type limits struct{ memory, processes int64 }

// openGroups finds the machine's cgroups and makes the parent of ours.
func (h *Host) openGroups() (*groups, error) {
	l := version1
	if _, err := os.Stat(filepath.Join(cgroupMount, "cgroup.controllers")); err == nil {
		l = version2
		if err := canBeBorn(); err != nil {
			return nil, err
		}
	}
	for controller, folder := range l.controllers {
		var st unix.Statfs_t
		err := unix.Statfs(filepath.Join(cgroupMount, folder), &st)
		if err != nil || st.Type != unix.CGROUP_SUPER_MAGIC && st.Type != unix.CGROUP2_SUPER_MAGIC {
			return nil, fmt.Errorf("controller %s is not mounted in %s", controller, cgroupMount)
		}
	}
	l.networks = !h.user // whose sandboxes' networks belong to their users
	return newGroups(l, cgroupMount, h.cfg.Cgroup)
}

// canBeBorn reports whether a process can be started in a group of version 2: some
// containers refuse the call. It is asked with arguments that no kernel accepts.
func canBeBorn() error {
	if _, _, errno := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0); errno != unix.EINVAL {
		return fmt.Errorf("processes cannot be started in control groups: clone3: %w", errno)
	}
	return nil
}

func newGroups(l layout, mount, parent string) (*groups, error) {
	if parent == "" {
		parent = "kvfarm"
	}
	g := &groups{layout: l, mount: mount, parent: parent}
	if controllers, err := os.ReadFile(filepath.Join(mount, "cgroup.controllers")); err == nil {
		if err := g.enable(strings.Fields(string(controllers))); err != nil {
			return nil, err
		}
	}
	g.sweep()
	first, err := g.fresh()
	if err != nil {
		return nil, err
	}
	g.free = append(g.free, first)
	return g, nil
}

// enable has version 2 count memory and processes below parent, and for that
// in each folder above it.
func (g *groups) enable(controllers []string) error {
	for c := range g.layout.controllers {
		if !slices.Contains(controllers, c) {
			return fmt.Errorf("controller %s is not available", c)
		}
	}
	dir := g.mount
	for _, name := range append([]string{""}, strings.Split(g.parent, "/")...) {
		dir = filepath.Join(dir, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := write(dir, "cgroup.subtree_control", "+memory +pids"); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes groups of dead processes. A group in use cannot be removed.
func (g *groups) sweep() {
	for _, folder := range g.layout.controllers {
		dirs, _ := filepath.Glob(filepath.Join(g.mount, folder, g.parent, "[0-9]*-*"))
		for _, dir := range dirs {
			pid, _, _ := strings.Cut(filepath.Base(dir), "-")
			if _, err := os.Stat("/proc/" + pid); err != nil {
				_ = os.Remove(dir)
			}
		}
	}
}

// Close removes the groups. Those still in use stay for a later sweep.
func (g *groups) Close() error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, one := range g.free {
		errs = append(errs, one.remove())
	}
	g.free = nil
	return errors.Join(errs...)
}

func (g *groups) create() (*group, error) {
	name := fmt.Sprintf("%d-%d", os.Getpid(), g.serial.Add(1))
	one := &group{layout: &g.layout, dirs: make(map[string]string)}
	for controller, folder := range g.layout.controllers {
		parent := filepath.Join(g.mount, folder, g.parent)
		if err := os.MkdirAll(parent, 0o755); err != nil {
			return nil, err
		}
		dir := filepath.Join(parent, name)
		if err := os.Mkdir(dir, 0o755); err != nil && !one.has(dir) {
			return nil, errors.Join(err, one.remove())
		}
		one.dirs[controller] = dir
	}
	if err := one.open(); err != nil {
		return nil, errors.Join(err, one.remove())
	}
	return one, nil
}

// has reports whether dir is the group's for another controller already, as in
// version 2.
func (g *group) has(dir string) bool {
	for _, d := range g.dirs {
		if d == dir {
			return true
		}
	}
	return false
}

// fresh makes a group and passes over names that are taken, by a process of
// another pid namespace or an earlier one of our pid.
func (g *groups) fresh() (one *group, err error) {
	for range maxTaken {
		if one, err = g.create(); !errors.Is(err, os.ErrExist) {
			break
		}
	}
	return one, err
}

const maxTaken = 1000

// take returns a group that a process can be started in.
func (g *groups) take() (*group, error) {
	if g == nil {
		return nil, nil
	}
	for one := g.reuse(); one != nil; one = g.reuse() {
		if one.loosen() == nil {
			return one, nil
		}
		_ = one.remove()
	}
	return g.fresh()
}

func (g *groups) reuse() *group {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.free) == 0 {
		return nil
	}
	one := g.free[len(g.free)-1]
	g.free = g.free[:len(g.free)-1]
	return one
}

// give takes a group back, whose processes are dead. One that does not work any
// more goes.
func (g *groups) give(one *group) {
	if g == nil || one == nil {
		return
	}
	if one.broken {
		_ = one.remove()
		return
	}
	one.used = true
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free = append(g.free, one)
}

// group is one control group, a folder per controller.
type group struct {
	layout *layout
	dirs   map[string]string
	set    limits // zero: none
	kills  int64  // when its last command had ended
	used   bool
	broken bool
	folder *os.File // of version 2, to be born in
	seat   *seat    // nil in version 2 if the group has no network namespace
}

// errTaken is of a group that was used and takes no limit: somebody removed it
// while it was empty, or what is left charged to it is over the limit. Another
// one may.
var errTaken = errors.New("control group takes no limit")

// begin limits a group whose first process has started, if it is one.
func (g *group) begin(l limits) error {
	if g == nil {
		return nil
	}
	if err := g.limit(l); err != nil {
		g.broken = true
		if g.used {
			err = errors.Join(errTaken, err)
		}
		return err
	}
	return nil
}

// starting is more bytes than a process takes to start.
const starting = 16 << 20

// loosen takes the limits of a group that was used away, unless they leave a
// process what it takes to start: it costs more than to look.
func (g *group) loosen() error {
	if g.set.memory == 0 {
		return nil
	}
	if now, err := g.usage(); err == nil && now+starting < g.set.memory {
		return nil
	}
	return g.limit(limits{})
}

// usage is the bytes that are charged to the group: what files hold of those
// that ran in it, too.
func (g *group) usage() (int64, error) {
	body, err := os.ReadFile(filepath.Join(g.dirs["memory"], g.layout.usage))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(body)), 10, 64)
}

// limit sets limits, or takes those away that are zero.
func (g *group) limit(l limits) error {
	if l.processes != g.set.processes {
		if err := g.limitProcesses(l.processes); err != nil {
			return err
		}
	}
	if l.memory != g.set.memory {
		if err := g.limitMemory(l.memory); err != nil {
			return err
		}
	}
	g.set = l
	return nil
}

func (g *group) limitProcesses(most int64) error {
	value := "max"
	if most > 0 {
		value = strconv.FormatInt(most+g.layout.seats, 10)
	}
	return write(g.dirs["pids"], "pids.max", value)
}

func (g *group) limitMemory(most int64) error {
	amount := g.layout.unlimited
	if most > 0 {
		amount = strconv.FormatInt(most, 10)
	}
	for _, s := range g.layout.memory {
		value := strings.Replace(s.value, "%d", amount, 1)
		err := write(g.dirs["memory"], s.file, value)
		if err != nil && !(s.optional && errors.Is(err, os.ErrNotExist)) {
			return err
		}
	}
	return nil
}

// account adds what only the group knows. All processes are dead: nothing is
// killed from here to the next command.
func (g *group) account(r *Result) {
	if g != nil {
		before := g.kills
		g.kills = g.countKills()
		r.OutOfMemory = g.kills > before
	}
}

func (g *group) countKills() int64 {
	body, err := os.ReadFile(filepath.Join(g.dirs["memory"], g.layout.events))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(body)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok {
			count, _ := strconv.ParseInt(n, 10, 64)
			return count
		}
	}
	return 0
}

func (g *group) remove() error {
	errs := []error{g.close()}
	for _, dir := range g.dirs {
		if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func write(dir, file, value string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644)
}
