package farm_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/frontend/farm"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

func TestWrongEndpoints(t *testing.T) {
	for addr, part := range map[string]string{
		"":                               "SCHEME://HOST:PORT",
		"grpc://":                        "SCHEME://HOST:PORT",
		"http://host:80":                 `"http"`,
		"grpc://host:80/path":            "SCHEME://HOST:PORT",
		"unix:relative":                  "absolute path",
		"unix:/nowhere/at/all":           "/nowhere/at/all",
		"grpc://127.0.0.1:1":             "127.0.0.1:1",
		"grpcs://127.0.0.1:1":            "127.0.0.1:1",
		"grpc://no-such-host.invalid:80": "no-such-host.invalid",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		c, err := farm.Dial(ctx, farm.Config{Executor: addr})
		cancel()
		if err == nil {
			t.Errorf("%q: connected", addr)
			_ = c.Close()
		} else if !strings.Contains(err.Error(), part) {
			t.Errorf("%q: error %q does not tell of %q", addr, err, part)
		}
	}
}

func TestCacheIsNoFarm(t *testing.T) {
	_, err := farm.Dial(t.Context(), farm.Config{Executor: "grpc://" + listen(t, nil).addr})
	if err == nil || !strings.Contains(err.Error(), "runs no actions") {
		t.Errorf("error %v", err)
	}
}

// party is somebody with a certificate, in files.
type party struct {
	cert, key string // paths
	tmpl      *x509.Certificate
	priv      *ecdsa.PrivateKey
}

// newParty makes a certificate that issuer signs; nil signs its own.
func newParty(t *testing.T, name string, issuer *party) *party {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &party{priv: priv, tmpl: &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: issuer == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}}
	if issuer == nil {
		issuer = p
	}
	der, err := x509.CreateCertificate(rand.Reader, p.tmpl, issuer.tmpl, &priv.PublicKey, issuer.priv)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p.cert, p.key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, p.cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o600)
	write(t, p.key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})), 0o600)
	return p
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// listener is a server on TCP that notes the metadata of calls.
type listener struct {
	addr string
	mu   sync.Mutex
	md   metadata.MD
}

func listen(t *testing.T, q *queue.Queue, opts ...grpc.ServerOption) *listener {
	t.Helper()
	l := &listener{}
	note := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
		l.mu.Lock()
		l.md, _ = metadata.FromIncomingContext(ctx)
		l.mu.Unlock()
		return h(ctx, req)
	}
	server := grpc.NewServer(slices.Concat(rev2.Options(), opts, []grpc.ServerOption{grpc.ChainUnaryInterceptor(note)})...)
	rev2.New(rev2.Config{Store: memstore.New(), Cache: memstore.NewActionCache(), Queue: q}).Register(server)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(tcp) }()
	t.Cleanup(server.Stop)
	l.addr = tcp.Addr().String()
	return l
}

func TestTLS(t *testing.T) {
	ca := newParty(t, "ca", nil)
	server, client, stranger := newParty(t, "server", ca), newParty(t, "client", ca), newParty(t, "stranger", nil)
	pair, err := tls.LoadX509KeyPair(server.cert, server.key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pemCA, err := os.ReadFile(ca.cert)
	if err != nil || !pool.AppendCertsFromPEM(pemCA) {
		t.Fatal(err)
	}
	l := listen(t, queue.New(queue.Config{}), grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool})))
	for name, test := range map[string]struct {
		cfg farm.Config
		ok  bool
	}{
		"all that is needed":   {farm.Config{TLSCertificate: ca.cert, TLSClientCertificate: client.cert, TLSClientKey: client.key}, true},
		"server not trusted":   {farm.Config{TLSClientCertificate: client.cert, TLSClientKey: client.key}, false},
		"no client":            {farm.Config{TLSCertificate: ca.cert}, false},
		"stranger":             {farm.Config{TLSCertificate: ca.cert, TLSClientCertificate: stranger.cert, TLSClientKey: stranger.key}, false},
		"certificate, no key":  {farm.Config{TLSCertificate: ca.cert, TLSClientCertificate: client.cert}, false},
		"no such file":         {farm.Config{TLSCertificate: "/nowhere"}, false},
		"file without a cert.": {farm.Config{TLSCertificate: ca.key}, false},
	} {
		for _, scheme := range []string{"grpcs://", ""} {
			test.cfg.Executor = scheme + l.addr
			c, err := farm.Dial(t.Context(), test.cfg)
			if (err == nil) != test.ok {
				t.Errorf("%s over %q: %v", name, scheme, err)
			}
			if err == nil {
				_ = c.Close()
			}
		}
	}
}

// TestPlaintextFarm: whoever forgets the scheme is told of it.
func TestPlaintextFarm(t *testing.T) {
	l := listen(t, queue.New(queue.Config{}))
	if _, err := farm.Dial(t.Context(), farm.Config{Executor: l.addr}); err == nil || !strings.Contains(err.Error(), "say grpc://HOST:PORT") {
		t.Errorf("Dial without a scheme = %v", err)
	}
}

func TestHeadersAndCredentials(t *testing.T) {
	l := listen(t, queue.New(queue.Config{}))
	dir := t.TempDir()
	helper := filepath.Join(dir, "helper")
	count := filepath.Join(dir, "count")
	write(t, helper, fmt.Sprintf(`#!/bin/sh
[ "$1" = get ] || exit 1
cat > %[1]s/request
echo x >> %[2]s
echo '{"headers":{"Authorization":["Bearer token"]},"expires":"2999-01-01T00:00:00Z"}'
`, dir, count), 0o700)
	c, err := farm.Dial(t.Context(), farm.Config{Executor: "grpc://" + l.addr, CredentialHelper: helper,
		Headers: map[string]string{"x-one": "1", "x-two": "2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		if _, err := c.Store().Missing(t.Context(), []digest.Digest{digest.Of([]byte("x"))}); err != nil {
			t.Fatal(err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, want := range map[string]string{"x-one": "1", "x-two": "2", "authorization": "Bearer token"} {
		if got := l.md.Get(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if b, _ := os.ReadFile(count); len(b) != len("x\nx\n") {
		t.Errorf("helper ran %d times, want once for each of two services", len(b)/2)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "request")); !strings.Contains(string(b), `"uri":"https://127.0.0.1`) {
		t.Errorf("helper was asked %s", b)
	}
}

func TestCredentialHelperScopesAndErrors(t *testing.T) {
	l := listen(t, queue.New(queue.Config{}))
	broken := filepath.Join(t.TempDir(), "broken")
	write(t, broken, "#!/bin/sh\necho no such login >&2\nexit 1\n", 0o700)
	dial := func(flag string) error {
		c, err := farm.Dial(t.Context(), farm.Config{Executor: "grpc://" + l.addr, CredentialHelper: flag})
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	if err := dial("*.example.com=" + broken); err != nil {
		t.Errorf("a helper for other hosts: %v", err)
	}
	if err := dial("127.0.0.1=" + broken); err == nil || !strings.Contains(err.Error(), "no such login") {
		t.Errorf("a helper that fails: %v", err)
	}
	if err := dial("/nowhere/helper"); err == nil {
		t.Error("a helper that does not exist is no error")
	}
}
