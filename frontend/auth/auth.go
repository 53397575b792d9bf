// Package auth says who calls the farm and what they may do: by a token, a JSON
// Web Token or a client's certificate, and by a file of grants.
package auth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/BurntSushi/toml"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// ErrUnknown says that a call shows no credentials, or such that are not believed.
var ErrUnknown = errors.New("caller is not known")

// Permission is what a caller may do.
type Permission string

// Permissions. Work is about all instances, whatever those of the grant.
const (
	Read    Permission = "read"    // blobs and cached results, and learn which there are
	Write   Permission = "write"   // blobs
	Execute Permission = "execute" // actions; follow and cancel them
	Update  Permission = "update"  // the action cache, and what assets are: others will take these for true
	Work    Permission = "work"    // take leases, and write the results of their actions
	Admin   Permission = "admin"   // all of these

	nothing Permission = "" // needs no permission
)

var permissions = []Permission{Read, Write, Execute, Update, Work, Admin}

// Caller is the names that grants know a caller by. The first is its own.
type Caller []string

// anonymous is who shows nothing.
var anonymous = Caller{"anonymous"}

func (c Caller) String() string { return c[0] }

// Guard knows callers and what they may do. It is safe for concurrent use.
type Guard struct {
	file string
	now  atomic.Pointer[rules]
}

// config is the file of grants, in TOML. Paths are relative to its folder.
type config struct {
	Tokens string // file of static tokens
	JWT    *jwtConfig
	Grant  []grant // what is not granted is refused
}

// grant lets callers do something.
type grant struct {
	Who       []string     // names of callers; those that end in * are all that begin so
	Instances []string     // that this is about, in the same way; none: all
	May       []Permission // what they may do there
}

// rules are what a Guard's files say.
type rules struct {
	tokens tokens
	jwt    *issuer // nil: none are believed
	grants []grant
}

// Open reads the file of grants and those that it names. Errors name the file.
func Open(file string) (*Guard, error) {
	g := &Guard{file: file}
	return g, g.Reload()
}

// Reload reads the files again. If they are wrong all stays as it was.
func (g *Guard) Reload() error {
	var cfg config
	read, err := toml.DecodeFile(g.file, &cfg)
	if err != nil {
		return fmt.Errorf("read grants in %s: %w", g.file, err)
	}
	if unknown := read.Undecoded(); len(unknown) > 0 {
		return fmt.Errorf("read grants in %s: no setting is named %q", g.file, unknown[0])
	}
	r, err := newRules(&cfg, filepath.Dir(g.file))
	if err != nil {
		return fmt.Errorf("read grants in %s: %w", g.file, err)
	}
	g.now.Store(r)
	return nil
}

func newRules(cfg *config, dir string) (r *rules, err error) {
	r = &rules{grants: cfg.Grant}
	if err := checkGrants(cfg.Grant); err != nil {
		return nil, err
	}
	if cfg.Tokens != "" {
		if r.tokens, err = readTokens(beside(dir, cfg.Tokens)); err != nil {
			return nil, err
		}
	}
	if cfg.JWT != nil {
		if r.jwt, err = newIssuer(cfg.JWT, beside(dir, cfg.JWT.Keys)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// beside returns the path of a file that is named in a file in dir.
func beside(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// checkSecret refuses a file that everybody on the machine can read.
func checkSecret(name string) error {
	info, err := os.Stat(name)
	if err == nil && info.Mode().Perm()&0o007 != 0 {
		err = fmt.Errorf("%s holds secrets and is open to all users: chmod o= it", name)
	}
	return err
}

// caller finds out who makes the call of ctx. A bad token is an error though
// there be a good certificate, too. Error: ErrUnknown.
func (r *rules) caller(ctx context.Context) (Caller, error) {
	if headers := metadata.ValueFromIncomingContext(ctx, "authorization"); len(headers) > 0 {
		kind, token, ok := strings.Cut(headers[0], " ")
		if !ok || !strings.EqualFold(kind, "bearer") {
			return nil, fmt.Errorf("%w: authorization header: want \"Bearer TOKEN\"", ErrUnknown)
		}
		return r.bearer(strings.TrimSpace(token))
	}
	if name := certificate(ctx); name != "" {
		return Caller{name}, nil
	}
	return anonymous, nil
}

// bearer finds out whose token it is.
func (r *rules) bearer(token string) (Caller, error) {
	if name, ok := r.tokens.find(token); ok {
		return Caller{"token:" + name}, nil
	}
	if r.jwt == nil {
		return nil, fmt.Errorf("%w: its token is none of ours", ErrUnknown)
	}
	c, err := r.jwt.caller(token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return c, nil
}

// certificate names the holder of the certificate that the connection was
// made with, which was verified then.
func certificate(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return ""
	}
	cert := info.State.VerifiedChains[0][0]
	name := cert.Subject.CommonName
	switch {
	case len(cert.URIs) > 0:
		name = cert.URIs[0].String()
	case len(cert.DNSNames) > 0:
		name = cert.DNSNames[0]
	case len(cert.EmailAddresses) > 0:
		name = cert.EmailAddresses[0]
	}
	return "cert:" + name
}

// checkGrants finds grants that cannot be meant.
func checkGrants(gs []grant) error {
	if len(gs) == 0 {
		return errors.New("there are no grants: nobody could do anything")
	}
	for i, g := range gs {
		if len(g.Who) == 0 || len(g.May) == 0 {
			return fmt.Errorf("grant %d: it needs who and may", i+1)
		}
		for _, w := range g.Who {
			kind, _, ok := strings.Cut(w, ":")
			if known := ok && slices.Contains([]string{"token", "user", "group", "cert"}, kind); !known && w != "*" && w != anonymous[0] {
				return fmt.Errorf("grant %d: who %q: want token:, user:, group: or cert: and a name, * or %s", i+1, w, anonymous[0])
			}
		}
		for _, p := range g.May {
			if !slices.Contains(permissions, p) {
				return fmt.Errorf("grant %d: no permission is named %q; there are %q", i+1, p, permissions)
			}
		}
	}
	return nil
}

// may reports whether a grant lets c do p in an instance; nil is any.
func (r *rules) may(c Caller, p Permission, instance *string) bool {
	return slices.ContainsFunc(r.grants, func(g grant) bool {
		if !slices.Contains(g.May, p) && !slices.Contains(g.May, Admin) {
			return false
		}
		if instance != nil && len(g.Instances) > 0 && !matchesAny(g.Instances, *instance) {
			return false
		}
		return slices.ContainsFunc(c, func(name string) bool { return isGranted(g.Who, name) })
	})
}

func isGranted(who []string, name string) bool {
	if name == anonymous[0] { // which no pattern means
		return slices.Contains(who, name)
	}
	return matchesAny(who, name)
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, ok := strings.CutSuffix(p, "*")
		return p == name || ok && strings.HasPrefix(name, prefix)
	})
}
