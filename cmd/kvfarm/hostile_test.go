package main

import (
	"strings"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
)

// TestHostileActions has clients send actions that go for the worker. Each comes
// to a clear end, and the next one on the same slot is unharmed. What the sandbox
// lets them see and do is tested there, limit by limit.
func TestHostileActions(t *testing.T) {
	t.Parallel()
	server := spawnFarm(t, "--slots", "1")
	c := connect(t, server.addr)
	memory := func(a *repb.Action, _ *repb.Command) {
		a.Platform.Properties = append(a.Platform.Properties, &repb.Platform_Property{Name: "kvfarm-memory", Value: "200000000"})
	}
	out := func(_ *repb.Action, cmd *repb.Command) { cmd.OutputPaths = []string{"out"} }
	const either = codes.Code(100) // it depends on the machine which limit is met first
	for _, h := range []struct {
		name   string
		act    []string
		change []change
		code   codes.Code // of the response
		exit   bool       // the command fails
		says   string     // the message, status or output
	}{
		{"fork bomb", []string{"bomb"}, []change{memory, limit(2 * time.Second)}, either, true, ""},
		{"much memory", []string{"allocate", "4000"}, []change{memory}, codes.OK, true, ""},
		{"memory in files", []string{"fill", "big", "4000"}, []change{memory}, codes.OK, true, ""},
		{"much output", []string{"spam", "1000000000"}, nil, codes.OK, false, "stdout is cut: kept 8388608 of 1000000000 bytes"},
		{"deaf", []string{"deaf", "1h"}, []change{limit(time.Second)}, codes.DeadlineExceeded, true, "longer than 1s"},
		{"background", []string{"spawn", "deaf", "1h"}, nil, codes.OK, false, ""},
		{"a file of the server's", []string{"cat", server.cmd.Path}, nil, codes.OK, true, "no such file"},
		{"the server's memory", []string{"cat", "/proc/1/mem"}, nil, codes.OK, true, "denied"},
		{"the server itself", []string{"dial", server.addr}, nil, codes.OK, true, "refused"},
		{"root", []string{"setuid"}, nil, codes.OK, true, "not permitted"},
		{"a mount", []string{"mount", "/x"}, nil, codes.OK, true, "not permitted"},
		{"a tool", []string{"append", "/bin/actor", "x"}, nil, codes.OK, true, ""},
		{"a device", []string{"device", "out"}, []change{out}, codes.OK, true, "not permitted"},
		{"a socket", []string{"socket", "out"}, []change{out}, codes.InvalidArgument, false, "neither file, folder nor link"},
		{"a link out", []string{"sequence", "remove", "out", ",", "symlink", "/etc", "out"}, []change{func(_ *repb.Action, cmd *repb.Command) { cmd.OutputPaths = []string{"out/passwd"} }}, codes.InvalidArgument, false, "path escapes"},
		{"an odd name", []string{"sequence", "mkdir", "out", ",", "oddname", "out"}, []change{out}, codes.InvalidArgument, false, "UTF-8"},
		{"bytes that are not there", []string{"sparse", "out", "100"}, []change{out}, codes.OK, true, "file too large"},
	} {
		t.Run(h.name, func(t *testing.T) {
			mine := *c
			mine.t = t
			resp := mine.run(mine.act(h.act, append(h.change, doNotCache)...))
			r := resp.GetResult()
			says := resp.Message + resp.GetStatus().GetMessage() + string(r.GetStderrRaw())
			if got := codes.Code(resp.GetStatus().GetCode()); got != h.code && h.code != either || h.exit != (r.GetExitCode() != 0) || !strings.Contains(says, h.says) {
				t.Errorf("%v, exit code %d, want %v; says %q, want %q", got, r.GetExitCode(), h.code, says, h.says)
			}
			if got := mine.stdout(mine.run(mine.act([]string{"echo", "unharmed"}, doNotCache))); got != "unharmed\n" {
				t.Errorf("the next one says %q", got)
			}
		})
	}
}
