// Kvfarm verifies the Rust code of a Linux tree on a farm: its own, embedded
// in this process, or any that speaks the Remote Execution API.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
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
	ctx, stop, err := startTraces(ctx)
	if err != nil {
		return err
	}
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	if c, _, err := root.Find(args); err == nil && c.Annotations[endless] == "" {
		var span trace.Span
		ctx, span = otel.Tracer("github.com/kvfarm/kvfarm/cmd/kvfarm").Start(ctx, c.CommandPath())
		defer span.End()
	}
	return root.ExecuteContext(ctx)
}

// endless marks commands that run until they are stopped: no trace spans them.
const endless = "endless"

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "kvfarm",
		Short:         "verify the Rust code of a Linux tree",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newSubmit(), newProve(), newFuzz(), newExplain(), newWhy(), newReplay(), newKUnit(), newServe(), newWorkerCommand(), newRunner(), newLaunch(), newToolchain(), newCache(), newAudit())
	return root
}
