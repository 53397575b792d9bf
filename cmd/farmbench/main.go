// Farmbench loads `kvfarm serve` and the servers of others side by side, over
// the SDK of the Remote Execution API, and prints what each one does and what
// ours does beside the best of them.
//
// The machine may be busy with other things, so no figure stands alone: each
// row is measured in rounds, in every round every farm in turn, and what counts
// is the median of the rounds' ratios, and processor time per operation.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "farmbench:", err)
		stop()
		os.Exit(1)
	}
}

// settings is what the command line says.
type settings struct {
	bin    string         // folder of our server's and others' programs
	before string         // another build of ours, to measure a change; "": none
	barn   string         // script that starts a Buildbarn; "": none
	root   string         // with servers of the distribution in it; "": there is none
	only   *regexp.Regexp // farms
	rows   *regexp.Regexp
	rounds int
	limit  time.Duration // of one farm's turn in one round
	pprof  string        // folder for profiles of our server, one per row; "": none
	args   []string      // further ones of `kvfarm serve`
}

func parse(args []string) (*settings, error) {
	s := &settings{}
	f := flag.NewFlagSet("farmbench", flag.ContinueOnError)
	f.StringVar(&s.bin, "bin", "bin", "`folder` of kvfarm, bazel-remote and whatever else was built")
	f.StringVar(&s.before, "before", "", "`file`, another kvfarm, to compare this one with")
	f.StringVar(&s.barn, "buildbarn", "", "`script` that starts a Buildbarn (deploy/buildbarn/start.sh)")
	f.StringVar(&s.root, "root", "", "`folder` of the root with buildbox and justbuild (kvfarm toolchain path clients)")
	only := f.String("farms", ".", "`regexp` of the farms to load")
	rows := f.String("rows", ".", "`regexp` of the rows to measure")
	f.IntVar(&s.rounds, "rounds", 5, "how often each row is measured")
	f.DurationVar(&s.limit, "limit", 2*time.Second, "how long a farm is loaded in one round")
	f.StringVar(&s.pprof, "pprof", "", "`folder` for processor profiles of our server, one per row")
	serve := f.String("serve", "", "further `arguments` of kvfarm serve")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	s.args = strings.Fields(*serve)
	var err error
	if s.only, err = regexp.Compile(*only); err != nil {
		return nil, fmt.Errorf("-farms: %w", err)
	}
	if s.rows, err = regexp.Compile(*rows); err != nil {
		return nil, fmt.Errorf("-rows: %w", err)
	}
	if s.bin, err = filepath.Abs(s.bin); err != nil {
		return nil, err
	}
	if f.NArg() > 0 || s.rounds < 1 || s.limit <= 0 {
		return nil, fmt.Errorf("want flags only, at least one round, a positive limit; -help lists them")
	}
	return s, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "farmbench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := flag.Set("log_dir", dir); err != nil { // of the SDK, which would leave files behind
		return err
	}
	targets, err := startAll(ctx, s, dir)
	defer stopAll(targets)
	if err != nil {
		return err
	}
	t := &table{targets: targets}
	for _, r := range rows() {
		if !s.rows.MatchString(r.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "farmbench:", r.name)
		line, err := r.measure(ctx, s, targets)
		if err != nil {
			return err
		}
		t.lines = append(t.lines, line)
	}
	t.print(out)
	return nil
}
