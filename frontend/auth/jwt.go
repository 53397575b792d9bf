package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// algorithms are those that are believed; "none" is not among them. Which of
// them a key is good for, its kind decides.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA, jose.HS256, jose.HS384, jose.HS512}

const (
	leeway    = time.Minute // that clocks may differ
	maxJWT    = 16 << 10    // bytes of a token
	maxCached = 4096        // tokens whose signatures are remembered
)

// jwtConfig says which JSON Web Tokens are believed.
type jwtConfig struct {
	Keys             string // file of a JSON Web Key Set
	Issuer, Audience string
	Groups           string // claim that lists a caller's groups; empty: "groups"
}

// issuer is who signs tokens, with the keys that tell.
type issuer struct {
	cfg  *jwtConfig
	keys []jose.JSONWebKey

	mu     sync.Mutex
	cached map[string]claims // verified, by token: a signature costs more than many calls
}

type claims struct {
	jwt.Claims
	caller Caller
}

func newIssuer(cfg *jwtConfig, file string) (*issuer, error) {
	if cfg.Keys == "" || cfg.Issuer == "" || cfg.Audience == "" {
		return nil, errors.New("jwt: keys, issuer and audience are all needed: a token for somebody else must not be good here")
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	i := &issuer{cfg: cfg, cached: map[string]claims{}}
	for _, k := range set.Keys {
		if k.Use != "" && k.Use != "sig" {
			continue
		}
		if _, secret := k.Key.([]byte); secret || !k.IsPublic() {
			if err := checkSecret(file); err != nil {
				return nil, err
			}
		}
		i.keys = append(i.keys, verifying(k))
	}
	if len(i.keys) == 0 {
		return nil, fmt.Errorf("%s: no key for signatures", file)
	}
	return i, nil
}

// verifying is what of k verifies.
func verifying(k jose.JSONWebKey) jose.JSONWebKey {
	if _, secret := k.Key.([]byte); secret || k.IsPublic() {
		return k
	}
	return k.Public()
}

// caller returns whose token it is.
func (i *issuer) caller(token string) (Caller, error) {
	c, err := i.verified(token)
	if err != nil {
		return nil, err
	}
	if c.Expiry == nil {
		return nil, errors.New("its token never expires")
	}
	err = c.ValidateWithLeeway(jwt.Expected{Issuer: i.cfg.Issuer, AnyAudience: jwt.Audience{i.cfg.Audience}, Time: time.Now()}, leeway)
	if err != nil {
		return nil, err
	}
	return c.caller, nil
}

// verified returns what a token says, once its signature holds.
func (i *issuer) verified(token string) (claims, error) {
	i.mu.Lock()
	c, ok := i.cached[token]
	i.mu.Unlock()
	if ok {
		return c, nil
	}
	c, err := i.verify(token)
	if err != nil {
		return c, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.cached) >= maxCached {
		clear(i.cached)
	}
	i.cached[token] = c
	return c, nil
}

func (i *issuer) verify(token string) (claims, error) {
	if len(token) > maxJWT {
		return claims{}, fmt.Errorf("its token has more than %d bytes", maxJWT)
	}
	t, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return claims{}, errors.New("its token is none of ours, and no JSON Web Token")
	}
	head := t.Headers[0]
	for _, k := range i.keys {
		if head.KeyID != "" && k.KeyID != "" && head.KeyID != k.KeyID || k.Algorithm != "" && k.Algorithm != head.Algorithm {
			continue
		}
		var c claims
		var rest map[string]any
		if t.Claims(k, &c.Claims, &rest) == nil {
			return i.named(c, rest)
		}
	}
	return claims{}, errors.New("no key of ours has signed its token")
}

// named fills in the names that grants may know the token's subject by.
func (i *issuer) named(c claims, rest map[string]any) (claims, error) {
	if c.Subject == "" {
		return c, errors.New("its token has no subject")
	}
	c.caller = Caller{"user:" + c.Subject}
	groups := i.cfg.Groups
	if groups == "" {
		groups = "groups"
	}
	list, _ := rest[groups].([]any)
	for _, g := range list {
		if name, ok := g.(string); ok {
			c.caller = append(c.caller, "group:"+name)
		}
	}
	return c, nil
}
