package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/frontend/report"
)

func newExplain() *cobra.Command {
	var s state
	var dir string
	c := &cobra.Command{
		Use:   "explain [flags] CHECK|ROOT|KIND",
		Short: "what a verdict means, which action proved it, and where it came from; or what a kind of check is",
		Long: `What a verdict means, which action proved it, and where it came from; or what a
kind of check is.

A CHECK or ROOT is one of the last report: a name, or an end of it. A KIND is
what stands in brackets where a failure is shown.`,
		Example: `  kvfarm explain check_delta_sign
  kvfarm explain slice_index`,
		Args: one("one CHECK, ROOT or KIND"),
		RunE: func(c *cobra.Command, args []string) error {
			if report.ExplainKind(c.OutOrStdout(), args[0]) {
				return nil
			}
			if dir == "" {
				if err := s.resolve(); err != nil {
					return err
				}
				dir = s.path("report")
			}
			r, err := report.Read(filepath.Join(dir, "report.json"))
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("no report in %s: run kvfarm submit first, or name its folder with --report", dir)
			}
			if err != nil {
				return err
			}
			if !report.Explain(c.OutOrStdout(), r, args[0], dir) {
				return fmt.Errorf("the report in %s has no check or root called %q, and no kind of check is; its report.txt lists all", dir, args[0])
			}
			return nil
		},
	}
	s.flag(c.Flags())
	c.Flags().StringVar(&dir, "report", "", "`DIR` of the report (default: the last submit's)")
	return c
}
