package auth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"
)

// key is one that signs tokens in tests.
type key struct {
	alg    jose.SignatureAlgorithm
	sign   any
	verify any
}

func keys(t *testing.T) map[string]key {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte(strings.Repeat("s", 32))
	return map[string]key{
		"ed": {jose.EdDSA, ed, ed.Public()},
		"rs": {jose.RS256, rs, rs.Public()},
		"ec": {jose.ES256, ec, ec.Public()},
		"hs": {jose.HS256, secret, secret},
	}
}

// jwks is the file of what verifies.
func jwks(t *testing.T, ks map[string]key) string {
	t.Helper()
	var set jose.JSONWebKeySet
	for id, k := range ks {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.verify, KeyID: id, Algorithm: string(k.alg), Use: "sig"})
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// good is what a token says that is believed.
func good() map[string]any {
	return map[string]any{"iss": "https://login.example", "aud": "kvfarm", "sub": "alice",
		"exp": time.Now().Add(time.Hour).Unix(), "groups": []string{"kernel"}}
}

// token signs claims.
func (k key) token(t *testing.T, id string, claims map[string]any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	if id != "" {
		options = options.WithHeader("kid", id)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: k.sign}, options)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jwt.Signed(s).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const grantToKernel = `
[jwt]
keys = "jwks.json"
issuer = "https://login.example"
audience = "kvfarm"
[[grant]]
who = ["group:kernel"]
may = ["read"]
`

func TestJSONWebTokens(t *testing.T) {
	ks := keys(t)
	r := start(t, map[string]string{"auth": grantToKernel, "jwks.json": jwks(t, ks)})
	for id, k := range ks {
		r.wantRead("signed by "+id, "Bearer "+k.token(t, id, good()), codes.OK)
		r.wantRead("without a key's name by "+id, "bearer "+k.token(t, "", good()), codes.OK)
	}
	ed := ks["ed"]
	for what, change := range map[string]func(map[string]any){
		"expired":                func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"never expires":          func(c map[string]any) { delete(c, "exp") },
		"not yet":                func(c map[string]any) { c["nbf"] = time.Now().Add(time.Hour).Unix() },
		"by somebody else":       func(c map[string]any) { c["iss"] = "https://evil.example" },
		"for somebody else":      func(c map[string]any) { c["aud"] = []string{"other"} },
		"for nobody":             func(c map[string]any) { delete(c, "aud") },
		"about nobody":           func(c map[string]any) { delete(c, "sub") },
		"with an odd expiration": func(c map[string]any) { c["exp"] = "tomorrow" },
	} {
		c := good()
		change(c)
		r.wantRead(what, "Bearer "+ed.token(t, "ed", c), codes.Unauthenticated)
	}
	inOthers := good()
	inOthers["groups"] = []string{"others", "kernelx"}
	r.wantRead("in another group", "Bearer "+ed.token(t, "ed", inOthers), codes.PermissionDenied)
}

// TestForgedTokens: what verifies a signature must not be what makes one.
func TestForgedTokens(t *testing.T) {
	ks := keys(t)
	r := start(t, map[string]string{"auth": grantToKernel, "jwks.json": jwks(t, ks)})
	other := keys(t)
	public, err := json.Marshal(jose.JSONWebKey{Key: ks["rs"].verify})
	if err != nil {
		t.Fatal(err)
	}
	valid := ks["ed"].token(t, "ed", good())
	parts := strings.Split(valid, ".")
	none := strings.Join([]string{"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0", parts[1], ""}, ".")
	for what, token := range map[string]string{
		"by a key of the same name":            other["ed"].token(t, "ed", good()),
		"by the public key as a secret":        key{alg: jose.HS256, sign: public}.token(t, "rs", good()),
		"with the name of another kind of key": ks["hs"].token(t, "rs", good()),
		"without a signature":                  none,
		"with half a signature":                valid[:len(valid)-10],
		"with another's claims":                parts[0] + "." + strings.Split(other["ed"].token(t, "ed", map[string]any{"sub": "root"}), ".")[1] + "." + parts[2],
		"that is no token":                     "a.b.c",
		"that is very long":                    strings.Repeat("a", 1<<15),
		"that is empty":                        "",
	} {
		r.wantRead(what, "Bearer "+token, codes.Unauthenticated)
	}
	r.wantRead("by password", "Basic YTpi", codes.Unauthenticated)
}

const tokenCI, tokenWorker = "0123456789abcdef-ci", "0123456789abcdef-worker"

const grants = `
# who may do what
tokens = "tokens"
[[grant]]
who = ["token:ci"]
instances = ["ci/*", "main"]
may = ["read", "write", "execute"]
[[grant]]
who = ["token:worker"]
may = ["read", "write", "work"]
[[grant]]
who = ["token:root"]
may = ["admin"]
[[grant]]
who = ["token:cacher"]
may = ["read", "write", "update"]
[[grant]]
who = ["anonymous"]
instances = ["public"]
may = ["read"]
`

const tokensFile = "# name token\nci " + tokenCI + "\nworker " + tokenWorker + "\nroot 0123456789abcdef-root\n\ncacher 0123456789abcdef-cacher\nidle 0123456789abcdef-idle\n"

// TestPermissions calls every method as everybody.
func TestPermissions(t *testing.T) {
	r := start(t, map[string]string{"auth": grants, "tokens": tokensFile})
	const no, who = codes.PermissionDenied, codes.Unauthenticated
	for _, c := range []struct {
		caller, instance               string
		read, write, run, update, work codes.Code // OK: it is let in
	}{
		{"ci", "main", codes.OK, codes.OK, codes.OK, no, no},
		{"ci", "ci/17", codes.OK, codes.OK, codes.OK, no, no},
		{"ci", "", no, no, no, no, no},
		{"ci", "mainx", no, no, no, no, no},
		{"ci", "public", no, no, no, no, no},
		{"worker", "any", codes.OK, codes.OK, no, no, codes.OK},
		{"root", "any", codes.OK, codes.OK, codes.OK, codes.OK, codes.OK},
		{"cacher", "any", codes.OK, codes.OK, no, codes.OK, no},
		{"idle", "any", no, no, no, no, no},
		{"", "public", codes.OK, who, who, who, who},
		{"", "main", who, who, who, who, who},
		{"nobody", "public", who, who, who, who, who},
	} {
		header := ""
		if c.caller != "" {
			header = "Bearer 0123456789abcdef-" + c.caller
		}
		for need, want := range map[string]codes.Code{"read": c.read, "write": c.write, "run": c.run, "update": c.update, "work": c.work} {
			for method, call := range calls[need] {
				err := call(r.as(header), r, c.instance)
				if got := letIn(err); got != want {
					t.Errorf("%s as %q in %q: %v, want %v", method, c.caller, c.instance, err, want)
				}
			}
		}
	}
}

// TestEveryMethodHasANeed: whoever may everything is let into all that is served,
// and who shows nothing into none.
func TestEveryMethodHasANeed(t *testing.T) {
	r := start(t, map[string]string{"auth": grants, "tokens": tokensFile})
	for _, name := range r.names {
		for header, want := range map[string]codes.Code{"Bearer 0123456789abcdef-root": codes.OK, "": codes.Unauthenticated} {
			err := r.conn.Invoke(r.as(header), name, &emptypb.Empty{}, &emptypb.Empty{})
			if got := letIn(err); got != want {
				t.Errorf("%s with %q: %v, want %v", name, header, err, want)
			}
		}
	}
	if err := r.conn.Invoke(r.as("Bearer 0123456789abcdef-root"), "/no.such/Method", &emptypb.Empty{}, &emptypb.Empty{}); err == nil {
		t.Error("a method that is not served")
	}
}

// TestUpdateEnabled says what the caller may.
func TestUpdateEnabled(t *testing.T) {
	r := start(t, map[string]string{"auth": grants, "tokens": tokensFile})
	for caller, want := range map[string]bool{"ci": false, "cacher": true} {
		caps, err := r.caps.GetCapabilities(r.as("Bearer 0123456789abcdef-"+caller), &repb.GetCapabilitiesRequest{InstanceName: "main"})
		if err != nil || caps.GetCacheCapabilities().GetActionCacheUpdateCapabilities().GetUpdateEnabled() != want {
			t.Errorf("%s: %v, %v, want %v", caller, caps.GetCacheCapabilities().GetActionCacheUpdateCapabilities(), err, want)
		}
	}
}

// TestReload: new files count, wrong ones do not.
func TestReload(t *testing.T) {
	r := start(t, map[string]string{"auth": grants, "tokens": tokensFile})
	r.write("tokens", "root 0123456789abcdef-root2\n")
	r.wantRead("before", "Bearer 0123456789abcdef-root", codes.OK)
	if err := r.guard.Reload(); err != nil {
		t.Fatal(err)
	}
	r.wantRead("the old token", "Bearer 0123456789abcdef-root", codes.Unauthenticated)
	r.wantRead("the new token", "Bearer 0123456789abcdef-root2", codes.OK)
	r.write("tokens", "root\n")
	if err := r.guard.Reload(); err == nil {
		t.Error("a file without a token is taken")
	}
	r.wantRead("after a mistake", "Bearer 0123456789abcdef-root2", codes.OK)
}

// TestBadFiles tells mistakes with their place.
func TestBadFiles(t *testing.T) {
	secret := jwks(t, map[string]key{"hs": {alg: jose.HS256, verify: []byte(strings.Repeat("s", 32))}})
	for _, c := range []struct {
		name, auth, want string
		files            map[string]string
		open             string // file that all may read
	}{
		{name: "not there", want: "no such file"},
		{name: "unknown setting", auth: "grants = 1", want: `no setting is named "grants"`},
		{name: "unknown setting of a grant", auth: "[[grant]]\nwhom = ['*']", want: `no setting is named "grant.whom"`},
		{name: "no TOML", auth: "grant {", want: "line 1"},
		{name: "no grants", auth: "# nothing", want: "no grants"},
		{name: "nobody", auth: "[[grant]]\nmay = ['read']", want: "grant 1: it needs who and may"},
		{name: "nothing", auth: "[[grant]]\nwho = ['*']", want: "grant 1: it needs who and may"},
		{name: "a name without its kind", auth: "[[grant]]\nwho = ['alice']\nmay = ['read']", want: `who "alice": want token:`},
		{name: "no such permission", auth: "[[grant]]\nwho = ['*']\nmay = ['fly']", want: `no permission is named "fly"`},
		{name: "short token", auth: grants, files: map[string]string{"tokens": "a b\n"}, want: "tokens:1: want a name and a token"},
		{name: "token twice", auth: grants, files: map[string]string{"tokens": "a 0123456789abcdef\nb 0123456789abcdef\n"}, want: "tokens:2: the token stands there twice"},
		{name: "tokens for all to read", auth: grants, files: map[string]string{"tokens": tokensFile}, open: "tokens", want: "open to all users"},
		{name: "secret for all to read", auth: grantToKernel, files: map[string]string{"jwks.json": secret}, open: "jwks.json", want: "open to all users"},
		{name: "no keys", auth: grantToKernel, files: map[string]string{"jwks.json": `{"keys":[]}`}, want: "no key for signatures"},
		{name: "any audience", auth: "[jwt]\nkeys = 'k'\nissuer = 'i'\n[[grant]]\nwho = ['*']\nmay = ['read']", want: "audience"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if c.auth != "" {
				writeFile(t, filepath.Join(dir, "auth"), c.auth)
			}
			for name, body := range c.files {
				writeFile(t, filepath.Join(dir, name), body)
			}
			if c.open != "" {
				if err := os.Chmod(filepath.Join(dir, c.open), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			wantOpenError(t, filepath.Join(dir, "auth"), c.want)
		})
	}
}
