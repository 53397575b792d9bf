package farm

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// endpoint is an address that was taken apart.
type endpoint struct {
	target string // for gRPC
	host   string // for credentials; empty for a socket
	tls    bool
}

// parseEndpoint reads an address as Bazel's flags give it.
func parseEndpoint(addr string) (endpoint, error) {
	scheme, rest, found := strings.Cut(addr, "://")
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		path = strings.TrimPrefix(path, "//")
		if !filepath.IsAbs(path) {
			return endpoint{}, fmt.Errorf("endpoint %q: want unix: and an absolute path", addr)
		}
		return endpoint{target: "unix:" + path}, nil
	}
	if !found {
		scheme, rest = "grpcs", addr
	}
	rest = strings.TrimSuffix(rest, "/")
	if rest == "" || strings.ContainsAny(rest, "/ ") {
		return endpoint{}, fmt.Errorf("endpoint %q: want SCHEME://HOST:PORT", addr)
	}
	e := endpoint{target: "dns:///" + rest, host: rest}
	switch scheme {
	case "grpcs":
		e.tls = true
	case "grpc":
	default:
		return endpoint{}, fmt.Errorf("endpoint %q: scheme %q is none of grpc, grpcs, unix", addr, scheme)
	}
	return e, nil
}

// connect makes a connection, which is not dialled before it is used.
func (c Config) connect(addr string) (*grpc.ClientConn, error) {
	e, err := parseEndpoint(addr)
	if err != nil {
		return nil, err
	}
	transport, err := c.transport(e)
	if err != nil {
		return nil, fmt.Errorf("endpoint %q: %w", addr, err)
	}
	opts := append(headers(c.Headers),
		grpc.WithTransportCredentials(transport),
		grpc.WithUserAgent("kvfarm"),
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 10 * time.Second,
			Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second}}),
		grpc.WithInitialWindowSize(1<<20),
		grpc.WithInitialConnWindowSize(4<<20),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
	opts = append(opts, c.Dial...)
	if c.Keepalive > 0 {
		opts = append(opts, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: c.Keepalive, Timeout: 10 * time.Second, PermitWithoutStream: true}))
	}
	helper, err := newHelper(c.CredentialHelper, e.host)
	if err != nil {
		return nil, err
	}
	if helper != nil {
		opts = append(opts, grpc.WithPerRPCCredentials(helper))
	}
	return grpc.NewClient(e.target, opts...)
}

// maxMessage is the largest message to accept, in bytes: some servers inline
// a lot.
const maxMessage = 64 << 20

func (c Config) transport(e endpoint) (credentials.TransportCredentials, error) {
	if !e.tls {
		return insecure.NewCredentials(), nil
	}
	conf := &tls.Config{}
	if c.TLSCertificate != "" {
		pem, err := os.ReadFile(c.TLSCertificate)
		if err != nil {
			return nil, fmt.Errorf("read trusted certificates: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read trusted certificates: %s holds none", c.TLSCertificate)
		}
	}
	if (c.TLSClientCertificate == "") != (c.TLSClientKey == "") {
		return nil, errors.New("a client certificate needs its key, and the key its certificate")
	}
	if c.TLSClientCertificate != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSClientCertificate, c.TLSClientKey)
		if err != nil {
			return nil, fmt.Errorf("read client certificate: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(conf), nil
}
