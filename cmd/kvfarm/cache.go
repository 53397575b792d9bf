package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/frontend/report"
)

func newCache() *cobra.Command {
	return group("cache", "look after the store",
		`Look after the store of a state folder, also while kvfarm serve, or another
command, has it open.`,
		newCacheStat(), newCacheGC(), newCacheFsck())
}

// wantStore is an error if the state folder has no store. To look after one does not make it: of a folder whose
// name was mistyped it would be said that all is clean.
func (s *state) wantStore() error {
	if _, err := os.Stat(storeDir(s.dir)); err != nil {
		return fmt.Errorf("look for the store: %w; --state is the folder that kvfarm serve or kvfarm submit was given", err)
	}
	return nil
}

// onStore has c look after the store of a state folder: by itself, or by the
// process that has the store open.
func onStore(c *cobra.Command, work func(ctx context.Context, c *cobra.Command, k keeper) error) *cobra.Command {
	var st state
	c.Args = none
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := st.locate(); err != nil {
			return err
		}
		if err := st.wantStore(); err != nil {
			return err
		}
		k, err := openKeeper(c.Context(), st.dir)
		if err != nil {
			return err
		}
		return errors.Join(work(c.Context(), c, k), k.Close())
	}
	st.flag(c.Flags())
	return c
}

func newCacheStat() *cobra.Command {
	c := &cobra.Command{
		Use:     "stat [flags]",
		Short:   "show what the store holds",
		Long:    "Show what the store holds, and how much of the disk it takes.",
		Example: `  kvfarm cache stat --state /srv/kvfarm`,
	}
	return onStore(c, func(ctx context.Context, c *cobra.Command, k keeper) error {
		st, err := k.Stat(ctx)
		if err != nil {
			return err
		}
		printUsage(c, "holds", st.Usage)
		fmt.Fprintf(c.OutOrStdout(), "disk   %s\n", size(st.Disk))
		return nil
	})
}

func printUsage(c *cobra.Command, what string, u badgerstore.Usage) {
	fmt.Fprintf(c.OutOrStdout(), "%-6s %d blobs, %d results, %s\n", what, u.Blobs, u.Results, size(u.Bytes))
}

func newCacheGC() *cobra.Command {
	var limit string
	c := &cobra.Command{
		Use:   "gc [flags]",
		Short: "drop what was not used for longest",
		Long: `Drop what was not used for longest, until the rest keeps to a limit.

A result stays with all that it names, or goes. The kernel's toolchain stays,
and so does what a server on the same store was asked for lately.`,
		Example: `  kvfarm cache gc --limit 50G`,
	}
	c.Flags().StringVar(&limit, "limit", "20G", "`SIZE` that content may take: bytes, or with K, M, G, T")
	return onStore(c, func(ctx context.Context, c *cobra.Command, k keeper) error {
		n, err := parseSize(limit)
		if err != nil {
			return err
		}
		keep, err := keptRoots()
		if err != nil {
			return err
		}
		r, err := k.GC(ctx, badgerstore.GCConfig{Limit: n, Keep: keep})
		if err != nil {
			return err
		}
		printUsage(c, "before", r.Before)
		printUsage(c, "after", r.After)
		fmt.Fprintf(c.OutOrStdout(), "freed  %s\n", size(r.Freed))
		return nil
	})
}

// keptRoots protects the toolchain: it is what every action needs.
func keptRoots() (badgerstore.Roots, error) {
	t, err := findToolchain()
	if err != nil {
		return badgerstore.Roots{}, nil // none made, none to keep
	}
	return badgerstore.Roots{Trees: []digest.Digest{t.Root}}, nil
}

func printDropped(c *cobra.Command, what string, all []digest.Digest) {
	for _, d := range all {
		fmt.Fprintf(c.OutOrStdout(), "%s %v dropped\n", what, d)
	}
}

func newCacheFsck() *cobra.Command {
	c := &cobra.Command{
		Use:   "fsck [flags]",
		Short: "check all content against its digests, and drop what does not hold",
		Long: `Check all content against its digests, and drop what does not hold, as well as
results whose content is not there. What was dropped is made again when it is
needed.

Exit status: 0 if all was clean, 1 if something was dropped, 2 if the store
could not be read.`,
		Example: `  kvfarm cache fsck --state /srv/kvfarm`,
	}
	return onStore(c, func(ctx context.Context, c *cobra.Command, k keeper) error {
		start := time.Now()
		r, err := k.Fsck(ctx)
		if err != nil {
			return err
		}
		out := c.OutOrStdout()
		printUsage(c, "read", r.Checked)
		printDropped(c, "corrupt blob", r.CorruptBlobs)
		printDropped(c, "corrupt result", r.CorruptResults)
		printDropped(c, "incomplete result", r.Incomplete)
		if !r.Clean() {
			fmt.Fprintln(out, "mended: what was dropped is made again when it is needed")
			return status(report.ExitRefuted)
		}
		fmt.Fprintf(out, "clean, in %v\n", time.Since(start).Round(time.Millisecond))
		return nil
	})
}
