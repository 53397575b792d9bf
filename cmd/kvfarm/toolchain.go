package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/kbuild/toolchain"
)

// toolchains is where roots and kernel sources are kept: always in the user's
// cache, whatever the state folder, for they are slow to make.
func toolchains() (toolchain.Cache, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return toolchain.Cache{}, fmt.Errorf("find the user's cache directory: %w", err)
	}
	return toolchain.Cache{Dir: filepath.Join(cache, "kvfarm"), Log: os.Stderr}, nil
}

// findToolchain returns the root in which kernels are built.
func findToolchain() (*toolchain.Toolchain, error) {
	c, err := toolchains()
	if err != nil {
		return nil, err
	}
	t, err := toolchain.Find(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no toolchain yet: run `kvfarm toolchain make`")
	}
	return t, err
}

// importToolchain stores t's root in s, telling a person when that takes long.
func importToolchain(ctx context.Context, t *toolchain.Toolchain, s cas.Store, note func(string)) error {
	told := false
	return t.Import(ctx, s, func(_, total int) {
		if !told {
			told = true
			note(fmt.Sprintf("storing the toolchain: %d files, %d MiB", total, t.Bytes>>20))
		}
	})
}

func newToolchain() *cobra.Command {
	return group("toolchain", "the root file systems that actions run in",
		`The root file systems that actions run in, and the sources of kernels. They are
kept in kvfarm in the user's cache directory, for they are slow to make.`,
		newToolchainMake(), newToolchainList(), newToolchainPath(), newToolchainSource())
}

func newToolchainMake() *cobra.Command {
	var s state
	c := &cobra.Command{
		Use:   "make [flags] [NAME...]",
		Short: "make the roots that are not there yet, and import the kernel's toolchain",
		Long: `Make the roots that are not there yet (those named, or all but those for tests),
from the mirror that this machine's apt uses, and import the kernel's toolchain
into the store.`,
		Example: `  kvfarm toolchain make
  kvfarm toolchain make clients`,
		RunE: func(c *cobra.Command, names []string) error {
			if err := s.resolve(); err != nil {
				return err
			}
			return s.advise(makeToolchains(c.Context(), s, names))
		},
	}
	s.flag(c.Flags())
	return c
}

func makeToolchains(ctx context.Context, s state, names []string) error {
	cache, err := toolchains()
	if err != nil {
		return err
	}
	var recipes []toolchain.Recipe
	for _, r := range toolchain.Recipes {
		if len(names) == 0 && !r.Asked {
			recipes = append(recipes, r)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		r, err := toolchain.RecipeFor(name)
		if err != nil {
			return err
		}
		recipes = append(recipes, r)
	}
	made, err := cache.Make(ctx, recipes...)
	if err != nil {
		return err
	}
	for i, t := range made {
		if recipes[i].Farm {
			if err := importRoot(ctx, s, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func importRoot(ctx context.Context, s state, t *toolchain.Toolchain) error {
	store, err := openStore(ctx, s.dir, slog.Default())
	if err != nil {
		return err
	}
	err = importToolchain(ctx, t, store, func(text string) { fmt.Fprintln(os.Stderr, text) })
	return errors.Join(err, store.Close())
}

func newToolchainList() *cobra.Command {
	return &cobra.Command{
		Use:     "list [flags]",
		Short:   "list the roots that are made",
		Long:    "List the roots that are made, with their digests, if actions can run in them.",
		Example: `  kvfarm toolchain list`,
		Args:    none,
		RunE: func(c *cobra.Command, _ []string) error {
			cache, err := toolchains()
			if err != nil {
				return err
			}
			list, err := cache.List()
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tMADE\tPACKAGES\tFILES\tMIB\tROOT\tFOLDER")
			for _, t := range list {
				root := "-"
				if !t.Root.IsZero() {
					root = t.Root.String()
				}
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\t%s\n", t.Name, t.Made.Format("2006-01-02 15:04"), len(t.Packages), t.Files, t.Bytes>>20, root, t.Dir)
			}
			return w.Flush()
		},
	}
}

func newToolchainPath() *cobra.Command {
	return &cobra.Command{
		Use:     "path [flags] NAME",
		Short:   "print the folder of a root",
		Long:    "Print the folder of a root. NAME is one that kvfarm toolchain list has.",
		Example: `  kvfarm toolchain path sdk`,
		Args:    one("one NAME, as kvfarm toolchain list has it"),
		RunE: func(c *cobra.Command, args []string) error {
			cache, err := toolchains()
			if err != nil {
				return err
			}
			r, err := toolchain.RecipeFor(args[0])
			if err != nil {
				return err
			}
			t, err := cache.Open(r)
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("root %s is not made yet: run `kvfarm toolchain make %s`", args[0], args[0])
			}
			if err == nil {
				fmt.Fprintln(c.OutOrStdout(), t.Dir)
			}
			return err
		},
	}
}

func newToolchainSource() *cobra.Command {
	return &cobra.Command{
		Use:   "source [flags] PACKAGE[=VERSION]",
		Short: "unpack the sources of a kernel package, and print their folder",
		Long: `Unpack the sources of a kernel package of the distribution, the newest or those
of a VERSION, and print their folder.`,
		Example: `  kvfarm toolchain source linux-source-7.2`,
		Args:    one("one PACKAGE, such as linux-source-7.2"),
		RunE: func(c *cobra.Command, args []string) error {
			cache, err := toolchains()
			if err != nil {
				return err
			}
			t, err := findToolchain()
			if err != nil {
				return err
			}
			dir, err := cache.Source(c.Context(), t, args[0])
			if err == nil {
				fmt.Fprintln(c.OutOrStdout(), dir)
			}
			return err
		},
	}
}
