// Kvfarm verifies the Rust code of a Linux tree on a farm: its own, embedded
// in this process, or any that speaks the Remote Execution API.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

func main() {
	rev2.UseBuffers()
	// The second signal kills: whoever asks twice means it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:]))
}

// status is an error that is only an exit status: all has been said.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func run(ctx context.Context, args []string) int {
	err := execute(ctx, args)
	var s status
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		return int(s)
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "kvfarm: stopped; what was finished is kept, the same command goes on from there")
	default:
		fmt.Fprintln(os.Stderr, "kvfarm:", err)
	}
	return report.ExitFailed
}

func execute(ctx context.Context, args []string) error {
	root := newRoot()
	root.SetArgs(args)
	c, rest, err := root.Find(args)
	if err != nil {
		c = root // which says what is wrong
	}
	if c.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && slices.Contains(rest, "--help") {
		return unknown(c, rest[0]) // where cobra would say what there is and end as if all was well
	}
	// Who looks at a trace tells its processes apart by their services' names.
	ctx, stop, err := startTraces(ctx, strings.ReplaceAll(c.CommandPath(), " ", "-"))
	if err != nil {
		return err
	}
	defer stop()
	if c != root && c.Annotations[endless] == "" {
		var span trace.Span
		ctx, span = otel.Tracer("github.com/kvfarm/kvfarm/cmd/kvfarm").Start(ctx, c.CommandPath())
		defer span.End()
	}
	return root.ExecuteContext(ctx)
}

// endless marks commands that run until they are stopped: no trace spans them.
const endless = "endless"

func newRoot() *cobra.Command {
	root := group("kvfarm", "verify the Rust code of a Linux tree",
		`Verify the Rust code of a Linux tree: which of its run-time checks can never
fail, which can, and with what input.

submit does that for a tree, prove for files that belong to none. What can fail
is run again by replay; explain and why tell of a proof. serve and worker make a
farm of many machines.`,
		newSubmit(), newProve(), newFuzz(), newExplain(), newWhy(), newReplay(), newKUnit(), newServe(), newWorkerCommand(), newRunner(), newLaunch(), newToolchain(), newCache(), newAudit())
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(flagError)
	root.SetGlobalNormalizationFunc(underscores)
	root.SetHelpCommand(newHelp())
	root.InitDefaultHelpCmd()
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// flagError says of a mistake in a flag what is wanted.
func flagError(c *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		err = fmt.Errorf("--%s %s: %w", bad.GetFlag().Name, bad.GetValue(), wanted(bad))
	}
	return fmt.Errorf("%w (%s --help lists the flags)", err, c.CommandPath())
}

// wanted is what a flag wants that did not take a value, where pflag says which function of Go's did not.
func wanted(bad *pflag.InvalidValueError) error {
	switch bad.GetFlag().Value.Type() {
	case "int", "int64", "uint64":
		return errors.New("want a whole number")
	case "duration":
		return errors.New("want a duration, such as 90s or 10m")
	case "bool":
		return errors.New("want true or false")
	}
	return bad.Unwrap()
}

// underscores takes --no-cache for --no_cache: who does not know Bazel's flags writes them so.
func underscores(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ReplaceAll(name, "-", "_"))
}

// one and some are the arguments of a command that wants just one or any number of what, where cobra speaks of args.
func one(what string) cobra.PositionalArgs { return wanting(what, 1) }

// none are those of a command that wants flags alone.
func none(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s: takes flags alone, and there is %q (%[1]s --help lists them)", c.CommandPath(), args[0])
	}
	return nil
}

func some(what string) cobra.PositionalArgs { return wanting(what+"...", math.MaxInt) }

func wanting(what string, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s: want %s (%[1]s --help says more)", c.CommandPath(), what)
		}
		if len(args) > most {
			return fmt.Errorf("%s: want %s, and there is %q too (%[1]s --help says more)", c.CommandPath(), what, args[most])
		}
		return nil
	}
}

// group returns a command that is there for the ones below it. By itself it says
// what these are; with a name that none of them has it fails, where cobra would
// say the same and end as if all was well.
func group(use, short, long string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return unknown(c, args[0])
		},
	}
	c.AddCommand(below...)
	return c
}

// newHelp returns a help command that fails where there is nothing to say, as cobra's own does not.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [flags] [COMMAND...]",
		Short:   "say more of a command",
		Long:    "Say more of a command, as COMMAND --help does.",
		Example: `  kvfarm help cache gc`,
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return unknown(about, rest[0])
			}
			return about.Help()
		},
	}
}

// unknown is the error that c has no command of a name.
func unknown(c *cobra.Command, name string) error {
	like := ""
	if all := c.SuggestionsFor(name); len(all) > 0 {
		like = fmt.Sprintf("; did you mean %s?", strings.Join(all, " or "))
	}
	return fmt.Errorf("%s has no command %q%s (%[1]s --help lists them)", c.CommandPath(), name, like)
}
