package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/grpc"

	"github.com/kvfarm/kvfarm/frontend/auth"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// door is how one gets at a server from outside, and who does.
type door struct {
	tls    serverTLS
	auth   string
	anyone bool
	plain  bool
	guard  *auth.Guard // nil: who gets in may do everything
}

func (d *door) flags(f *pflag.FlagSet) {
	d.tls.flags(f)
	f.StringVar(&d.auth, "auth", "", "`FILE` of grants: who may do what")
	f.BoolVar(&d.anyone, "allow_anyone", false, "serve beyond loopback though nobody has to say who they are")
	f.BoolVar(&d.plain, "allow_plaintext", false, "serve beyond loopback without TLS, as behind a proxy that ends it, though tokens could be read on the way")
}

// open reads certificates and grants.
func (d *door) open() ([]grpc.ServerOption, error) {
	d.tls.grants = d.auth != ""
	options, err := d.tls.options()
	if err != nil || d.auth == "" {
		return options, err
	}
	if d.guard, err = auth.Open(d.auth); err != nil {
		return nil, err
	}
	return append(options, d.guard.Options(rev2.Instance)...), nil
}

func (d *door) mayUpdate() func(ctx context.Context, instance string) bool {
	if d.guard == nil {
		return nil
	}
	return d.guard.MayUpdate
}

// mayFetch is whose requests may have the server fetch assets.
func (d *door) mayFetch() func(ctx context.Context, instance string) bool {
	if d.guard == nil {
		return nil
	}
	return d.guard.MayFetch
}

// reloads has SIGHUP read certificates and grants again, until stop is called.
// Where there are none it is no reason to end.
func (d *door) reloads(log *slog.Logger) (stop func()) {
	d.warnExpired(log)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	go func() {
		for range again {
			d.reload(log)
		}
	}()
	return func() { signal.Stop(again); close(again) }
}

func (d *door) reload(log *slog.Logger) {
	if d.guard == nil && d.tls.certificate == "" {
		log.Info("there are neither certificates nor grants to read again; other settings hold until a restart")
		return
	}
	if d.tls.certificate != "" {
		if err := d.tls.load(); err != nil {
			log.Error("certificates stay as they were", "error", err)
		} else {
			log.Info("certificates are read again", "file", d.tls.certificate, "expires", d.tls.expires())
			d.warnExpired(log)
		}
	}
	if d.guard != nil {
		if err := d.guard.Reload(); err != nil {
			log.Error("grants stay as they were", "error", err)
		} else {
			log.Info("grants are read again", "file", d.auth)
		}
	}
}

// warnExpired tells of a certificate that no client will take.
func (d *door) warnExpired(log *slog.Logger) {
	if d.tls.certificate != "" && time.Now().After(d.tls.expires()) {
		log.Warn("the server's certificate has expired; renew it and send SIGHUP", "file", d.tls.certificate, "expired", d.tls.expires())
	}
}

// checkPublic says why the door should not be open to more than this machine.
func (d *door) checkPublic() error {
	switch {
	case d.guard == nil && d.tls.clientCA == "" && !d.anyone:
		return errors.New("whoever reaches this address could run programs here; give --auth, or --tls_certificate, --tls_key and --tls_client_ca, or listen on 127.0.0.1, or say --allow_anyone")
	case d.guard != nil && d.tls.certificate == "" && !d.plain:
		return errors.New("tokens could be read on the way; give --tls_certificate and --tls_key, or say --allow_plaintext")
	}
	return nil
}

// listen listens on addr. Without authentication only this machine may reach it.
func (d *door) listen(addr string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		if path == "" || len(path) > longestSocket {
			return nil, fmt.Errorf("--listen %s: want unix:PATH with a path of 1 to %d bytes", addr, longestSocket)
		}
		l, err := listenSoon("unix", path)
		if err != nil {
			return nil, listenError("listen", addr, err)
		}
		return l, os.Chmod(path, 0o600)
	}
	l, err := listenSoon("tcp", addr)
	if err != nil {
		return nil, listenError("listen", addr, err)
	}
	if l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return l, nil
	}
	if err := d.checkPublic(); err != nil {
		l.Close()
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// passesOn is how long the address of a server that was killed may be in use: what
// it was about to start in a sandbox has its socket for a moment.
const passesOn = time.Second

// listenSoon listens, though one that was killed may have had the address just now.
func listenSoon(network, addr string) (net.Listener, error) {
	for begin := time.Now(); ; time.Sleep(passesOn / 20) {
		l, err := net.Listen(network, addr)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
		if network == "unix" && forsaken(addr) {
			continue
		}
		if time.Since(begin) > passesOn {
			return nil, err
		}
	}
}

// longestSocket is how many bytes the system lets a socket's name have.
const longestSocket = 107

// listenError says of an error of net.Listen what to do.
func listenError(flag, addr string, err error) error {
	var malformed *net.AddrError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: another program listens there; end it, or choose another address with --%s", addr, flag)
	case errors.As(err, &malformed):
		form := "HOST:PORT"
		if flag == "listen" {
			form += " or unix:PATH"
		}
		return fmt.Errorf("--%s %s: want %s: %w", flag, addr, form, err)
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}

// forsaken removes a socket that a process that was killed has left. One that
// somebody listens on stays.
func forsaken(path string) bool {
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED) && os.Remove(path) == nil
}
