package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// serverTLS says who the server is and whom it lets in.
type serverTLS struct{ certificate, key, clientCA string }

func (t *serverTLS) flags(f *pflag.FlagSet) {
	f.StringVar(&t.certificate, "tls_certificate", "", "`FILE` of the server's certificate")
	f.StringVar(&t.key, "tls_key", "", "`FILE` of the server's key")
	f.StringVar(&t.clientCA, "tls_client_ca", "", "`FILE` of the authority whose certificates let clients and workers in")
}

// options returns none when no TLS was asked for.
func (t *serverTLS) options() ([]grpc.ServerOption, error) {
	if *t == (serverTLS{}) {
		return nil, nil
	}
	if t.certificate == "" || t.key == "" || t.clientCA == "" {
		return nil, fmt.Errorf("--tls_certificate, --tls_key and --tls_client_ca go together: a farm that knows who it is must know who calls")
	}
	cert, err := tls.LoadX509KeyPair(t.certificate, t.key)
	if err != nil {
		return nil, fmt.Errorf("load the server's certificate: %w", err)
	}
	pem, err := os.ReadFile(t.clientCA)
	if err != nil {
		return nil, fmt.Errorf("read --tls_client_ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--tls_client_ca %s holds no certificate in PEM", t.clientCA)
	}
	return []grpc.ServerOption{grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{cert},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
		MinVersion:   tls.VersionTLS12,
	}))}, nil
}
