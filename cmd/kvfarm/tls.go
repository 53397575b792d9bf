package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// serverTLS says who the server is and whom it lets in.
type serverTLS struct {
	certificate, key, clientCA string
	grants                     bool                       // they say who calls, too: there may be clients without a certificate
	now                        atomic.Pointer[tls.Config] // what new connections get
}

func (t *serverTLS) flags(f *pflag.FlagSet) {
	f.StringVar(&t.certificate, "tls_certificate", "", "`FILE` of the server's certificate")
	f.StringVar(&t.key, "tls_key", "", "`FILE` of the server's key")
	f.StringVar(&t.clientCA, "tls_client_ca", "", "`FILE` of the authority whose certificates let clients and workers in")
}

// options returns none when no TLS was asked for.
func (t *serverTLS) options() ([]grpc.ServerOption, error) {
	if t.certificate == "" && t.key == "" && t.clientCA == "" {
		return nil, nil
	}
	if t.certificate == "" || t.key == "" {
		return nil, fmt.Errorf("--tls_certificate and --tls_key go together, and --tls_client_ca wants both")
	}
	if t.clientCA == "" && !t.grants {
		return nil, fmt.Errorf("--tls_certificate needs --tls_client_ca or --auth: a farm that knows who it is must know who calls")
	}
	if err := t.load(); err != nil {
		return nil, err
	}
	first := t.now.Load().Clone()
	first.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return t.now.Load(), nil }
	return []grpc.ServerOption{grpc.Creds(credentials.NewTLS(first))}, nil
}

// load reads the files. A mistake in them leaves all as it was.
func (t *serverTLS) load() error {
	cert, err := tls.LoadX509KeyPair(t.certificate, t.key)
	if err != nil {
		return fmt.Errorf("load the server's certificate: %w", err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}
	if t.clientCA != "" {
		if err := t.clients(cfg); err != nil {
			return err
		}
	}
	t.now.Store(cfg)
	return nil
}

// expires is when the server's certificate does.
func (t *serverTLS) expires() time.Time { return t.now.Load().Certificates[0].Leaf.NotAfter }

// clients has cfg take certificates of the clients' authority.
func (t *serverTLS) clients(cfg *tls.Config) error {
	pem, err := os.ReadFile(t.clientCA)
	if err != nil {
		return fmt.Errorf("read --tls_client_ca: %w", err)
	}
	cfg.ClientCAs = x509.NewCertPool()
	if !cfg.ClientCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("--tls_client_ca %s holds no certificate in PEM", t.clientCA)
	}
	cfg.ClientAuth = tls.RequireAndVerifyClientCert
	if t.grants {
		cfg.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return nil
}
