package farm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"strings"
	"sync"
	"time"
)

// Limits of credential helpers, which are Bazel's defaults.
const (
	helperTimeout  = 10 * time.Second
	helperDuration = 30 * time.Minute // credentials without an expiry are kept as long
)

// helper gets credentials from a program, one set for each service, and keeps
// them until they expire. It implements credentials.PerRPCCredentials.
type helper struct {
	program string

	mu    sync.Mutex
	known map[string]*credential // by URI
}

// credential is what a helper answers.
type credential struct {
	Headers map[string][]string `json:"headers"`
	Expires time.Time           `json:"expires"`
}

// newHelper reads a --credential_helper flag. It returns nil if there is no
// helper for host, which may carry a port.
func newHelper(flag, host string) (*helper, error) {
	pattern, program, scoped := strings.Cut(flag, "=")
	if !scoped {
		program = flag
	}
	if program == "" {
		return nil, nil
	}
	name, _, _ := strings.Cut(host, ":")
	if scoped && !matchHost(pattern, name) {
		return nil, nil
	}
	found, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("credential helper: %w", err)
	}
	return &helper{program: found, known: map[string]*credential{}}, nil
}

// matchHost matches "*.example.com" with that domain and all below it.
func matchHost(pattern, host string) bool {
	domain, ok := strings.CutPrefix(pattern, "*.")
	return host == pattern || ok && (host == domain || strings.HasSuffix(host, "."+domain))
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (h *helper) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	if len(uri) == 0 {
		return nil, errors.New("credential helper: call without a URI")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.known[uri[0]]
	if !ok || !time.Now().Before(c.Expires) {
		var err error
		if c, err = h.get(ctx, uri[0]); err != nil {
			return nil, fmt.Errorf("credential helper %s: %w", path.Base(h.program), err)
		}
		h.known[uri[0]] = c
	}
	md := map[string]string{}
	for k, vs := range c.Headers {
		md[strings.ToLower(k)] = strings.Join(vs, ",")
	}
	return md, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials. As with
// Bazel, who configures a helper for grpc:// gets it.
func (h *helper) RequireTransportSecurity() bool { return false }

func (h *helper) get(ctx context.Context, uri string) (*credential, error) {
	ctx, cancel := context.WithTimeout(ctx, helperTimeout)
	defer cancel()
	request, err := json.Marshal(map[string]string{"uri": uri})
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, h.program, "get")
	cmd.Stdin = bytes.NewReader(request)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return nil, err
	}
	c := &credential{}
	if err := json.Unmarshal(out, c); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if c.Expires.IsZero() {
		c.Expires = time.Now().Add(helperDuration)
	}
	return c, nil
}
