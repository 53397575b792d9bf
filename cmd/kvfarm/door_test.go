package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	rpcstatus "google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
	"github.com/kvfarm/kvfarm/frontend/farm"
	"github.com/kvfarm/kvfarm/kbuild"
)

// certificates writes an authority's certificate, ca.pem, and by it those of
// names: NAME.pem and NAME.key.
func certificates(t *testing.T, dir string, names ...string) {
	t.Helper()
	template := func(name string, ca bool) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: ca, BasicConstraintsValid: true,
			KeyUsage:    x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	}
	parent := template("ca", true)
	parentKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append([]string{"ca"}, names...) {
		cert, key := parent, parentKey
		if name != "ca" {
			cert = template(name, false)
			if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
				t.Fatal(err)
			}
		}
		der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, parentKey)
		if err != nil {
			t.Fatal(err)
		}
		keyDER, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		secret(t, filepath.Join(dir, name+".pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		secret(t, filepath.Join(dir, name+".key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	}
}

func secret(t *testing.T, name, body string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

const doorGrants = `
tokens = "tokens"
[[grant]]
who = ["token:worker"]
may = ["read", "write", "work"]
[[grant]]
who = ["token:ci", "cert:submitter"]
may = ["read", "write", "execute"]
[[grant]]
who = ["token:reader"]
may = ["read"]
`

const doorTokens = "worker worker-0123456789\nci ci-0123456789abcdef\nreader reader-0123456789\n"

// TestGuardedFarm has a worker with a token of its own run actions of clients
// who show who they are in each of the ways there are, over TLS.
func TestGuardedFarm(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	certificates(t, dir, "server", "submitter")
	secret(t, in("auth"), doorGrants)
	secret(t, in("tokens"), doorTokens)
	secret(t, in("helper"), "#!/bin/sh\necho '{\"headers\":{\"Authorization\":[\"Bearer ci-0123456789abcdef\"]}}'\n")
	if err := os.Chmod(in("helper"), 0o700); err != nil {
		t.Fatal(err)
	}
	server := spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir(), "--auth", in("auth"),
		"--tls_certificate", in("server.pem"), "--tls_key", in("server.key"), "--tls_client_ca", in("ca.pem"))
	endpoint := "grpcs://" + server.addr
	spawn(t, "worker", "--farm", endpoint, "--slots", "1", "--state", t.TempDir(),
		"--tls_certificate", in("ca.pem"), "--remote_header", "authorization=Bearer worker-0123456789")
	bearer := func(token string) map[string]string { return map[string]string{"authorization": "Bearer " + token} }
	for _, c := range []struct {
		name string
		cfg  farm.Config
		want string // of the error; empty: the action runs
	}{
		{"header", farm.Config{Headers: bearer("ci-0123456789abcdef")}, ""},
		{"credential helper", farm.Config{CredentialHelper: in("helper")}, ""},
		{"certificate", farm.Config{TLSClientCertificate: in("submitter.pem"), TLSClientKey: in("submitter.key")}, ""},
		{"nothing", farm.Config{}, "send a token (--remote_header="},
		{"wrong token", farm.Config{Headers: bearer("ci-0123456789abcdeX")}, "caller is not known"},
		{"token that may only read", farm.Config{Headers: bearer("reader-0123456789")}, "which no grant gives to token:reader"},
		{"token that may only work", farm.Config{Headers: bearer("worker-0123456789")}, "which no grant gives to token:worker"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Executor, c.cfg.TLSCertificate, c.cfg.Retries = endpoint, in("ca.pem"), -1
			out, err := echo(t, c.cfg, c.name)
			switch {
			case c.want == "" && (err != nil || out != c.name+"\n"):
				t.Errorf("%q, %v", out, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	secret(t, in("tokens"), strings.ReplaceAll(doorTokens, "ci-", "CI-"))
	server.signal(t, syscall.SIGHUP)
	server.wait(t, "grants are read again")
	if _, err := echo(t, farm.Config{Executor: endpoint, TLSCertificate: in("ca.pem"), Headers: bearer("ci-0123456789abcdef"), Retries: -1}, "x"); err == nil {
		t.Error("a token that was taken away is good")
	}
}

// Who may do what, in which instances, and update_enabled says whether results
// may be written.
func TestGrantsByInstance(t *testing.T) {
	dir := t.TempDir()
	secret(t, filepath.Join(dir, "auth"), "tokens = \"tokens\"\n[[grant]]\nwho = [\"token:ci\"]\ninstances = [\"ours/*\"]\nmay = [\"read\", \"write\", \"update\"]\n[[grant]]\nwho = [\"*\"]\nmay = [\"read\"]\n")
	secret(t, filepath.Join(dir, "tokens"), doorTokens)
	c := connect(t, spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir(), "--auth", filepath.Join(dir, "auth")).addr)
	action := digest.Of([]byte("an action")).Proto()
	for _, who := range []struct {
		token, instance string
		may             bool
	}{
		{"ci-0123456789abcdef", "theirs", false}, {"reader-0123456789", "ours/linux", false}, {"ci-0123456789abcdef", "ours/linux", true},
	} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+who.token)
		caps, err := c.caps.GetCapabilities(ctx, &repb.GetCapabilitiesRequest{InstanceName: who.instance})
		if err != nil || caps.CacheCapabilities.ActionCacheUpdateCapabilities.UpdateEnabled != who.may {
			t.Errorf("%v: %v, %v", who, caps, err)
		}
		_, err = c.ac.UpdateActionResult(ctx, &repb.UpdateActionResultRequest{InstanceName: who.instance, ActionDigest: action, ActionResult: &repb.ActionResult{ExitCode: 3}})
		if want := map[bool]codes.Code{true: codes.OK, false: codes.PermissionDenied}[who.may]; rpcstatus.Code(err) != want {
			t.Errorf("%v: update: %v, want %v", who, err, want)
		}
		_, err = c.cas.BatchUpdateBlobs(ctx, &repb.BatchUpdateBlobsRequest{InstanceName: who.instance})
		if want := map[bool]codes.Code{true: codes.OK, false: codes.PermissionDenied}[who.may]; rpcstatus.Code(err) != want {
			t.Errorf("%v: write: %v, want %v", who, err, want)
		}
		stream, err := c.exec.Execute(ctx, &repb.ExecuteRequest{InstanceName: who.instance, ActionDigest: action})
		if err == nil {
			_, err = stream.Recv()
		}
		wantCode(t, "execute without a grant", err, codes.PermissionDenied)
		r, err := c.ac.GetActionResult(ctx, &repb.GetActionResultRequest{InstanceName: who.instance, ActionDigest: action})
		if who.may != (err == nil && r.ExitCode == 3) {
			t.Errorf("%v: kept is %v, %v", who, r, err)
		}
	}
}

// wait returns when the process has said something.
func (p *process) wait(t *testing.T, what string) {
	t.Helper()
	for begin := time.Now(); !strings.Contains(p.log.String(), what); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatalf("it does not say %q:\n%s", what, p.log)
		}
	}
}

// echo has an action on a farm say something.
func echo(t *testing.T, cfg farm.Config, text string) (string, error) {
	t.Helper()
	c, err := farm.Dial(t.Context(), cfg)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	program, err := sandboxtest.Build()
	if err != nil {
		t.Fatal(err)
	}
	d := digest.Of(program)
	r, err := c.Run(t.Context(), &kbuild.Action{Kind: "test", Name: "echo", Argv: []string{"/x/actor", "echo", text},
		Inputs: tree.Files{"actor": {Digest: d, Exec: true}}, Content: kbuild.Blobs{d: program}})
	if err != nil {
		return "", err
	}
	if r.ExitCode != 0 {
		return "", fmt.Errorf("exit code %d", r.ExitCode)
	}
	return string(r.Stdout), nil
}
