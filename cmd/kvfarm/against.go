package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// comparison is with an earlier report, if against names one.
type comparison struct {
	against string
	before  *pb.Report // what against names; nil: there is nothing to compare with
}

func (c *comparison) compares(f *pflag.FlagSet) {
	f.StringVar(&c.against, "against", "", "report.json `FILE`, or folder of one, to compare with: output and exit status are about what is worse")
}

// read reads the earlier report. It comes before the work, which may replace its file.
func (c *comparison) read() error {
	if c.against == "" {
		return nil
	}
	var err error
	c.against, c.before, err = readReport(c.against)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--against %s: no such report: keep the report.json of a submit of what to compare with", c.against)
	}
	if err != nil {
		return fmt.Errorf("--against: %w", err)
	}
	return nil
}

// known says of which failures nobody need hear; nil: of none.
func (c *comparison) known() func(*pb.Site) bool {
	if c.before == nil {
		return nil
	}
	return report.Failing(c.before)
}

func (c *comparison) compare(r *pb.Report) {
	if c.before != nil {
		r.Against = report.Compare(c.before, r, c.against)
	}
}

// readReport reads a report.json, or that of a folder, and returns which.
func readReport(file string) (string, *pb.Report, error) {
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		file = filepath.Join(file, report.File)
	}
	r, err := report.Read(file)
	return file, r, err
}
