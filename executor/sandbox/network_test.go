package sandbox_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/executor/sandbox"
)

// TestNetworkIsAsNew has commands use the network in ways that may leave
// something. What the kernel says to the next one is what it said to the first.
func TestNetworkIsAsNew(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	first := s.network(t)
	for name, act := range map[string][]string{
		"a conversation":                        {"loopback"},
		"a socket that waits for connections":   {"listen"},
		"an abstract name":                      {"abstract"},
		"a connection without a packet":         {"udp", "127.0.0.1:7777"},
		"a packet to nobody":                    {"udp", "127.0.0.1:7777", "x"},
		"an address that no route leads to":     {"udp", "192.0.2.1:7777"},
		"a group":                               {"join"},
		"the list of interfaces":                {"netlink"},
		"the label of a flow, kept for a while": {"flowlabel"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.run(t, s.spec(act...))
			t.Logf("exit code %d %s", r.ExitCode, r.Stderr.Bytes())
			for name, says := range s.network(t) {
				if ofTheMachine[name] {
					continue
				}
				if diff := cmp.Diff(first[name], says); diff != "" {
					t.Errorf("%s (-first +next)\n%s", name, diff)
				}
			}
		})
	}
}

// A namespace in which there was no socket is used again.
func TestNetworkIsUsedAgain(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	if _, _, root := s.host.Owner(); !root || strings.Contains(strings.Join(s.host.Notes(), "\n"), "no cgroups") {
		t.Skip("each command has a new one here")
	}
	const link = "/proc/self/ns/net"
	first, next := s.run(t, s.spec("readlink", link)), s.run(t, s.spec("readlink", link))
	if first, next := string(first.Stdout.Bytes()), string(next.Stdout.Bytes()); first != next || !strings.HasPrefix(first, "net:") {
		t.Errorf("%q, then %q", first, next)
	}
}

// ofTheMachine are files that say the same in all namespaces, or which of the
// kernel's own sockets a namespace has.
var ofTheMachine = map[string]bool{"netlink": true, "softnet_stat": true, "sockstat": true, "protocols": true,
	"stat/rt_cache": true, "stat/arp_cache": true, "stat/ndisc_cache": true, "stat/nf_conntrack": true}

// network returns what the kernel tells a command of its network, by file.
func (s *scene) network(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for part := range strings.SplitSeq(string(s.run(t, s.spec("network")).Stdout.Bytes()), "==") {
		name, says, _ := strings.Cut(part, "\n")
		out[name] = says
	}
	if out["dev"] == "" {
		t.Fatal("the kernel says nothing")
	}
	return out
}
