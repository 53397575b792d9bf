package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/kvfarm/kvfarm/frontend/farm"
)

// remoteFlags are Bazel's flags for a remote farm.
type remoteFlags struct {
	cfg        farm.Config
	headers    []string
	properties []string
}

func (r *remoteFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&r.cfg.Executor, "remote_executor", "", "`ENDPOINT` that runs actions: grpc://HOST:PORT, grpcs://HOST:PORT or unix:PATH (default: this process)")
	f.StringVar(&r.cfg.Cache, "remote_cache", "", "`ENDPOINT` of the store and action cache (default: the executor's)")
	f.StringArrayVar(&r.properties, "remote_default_exec_properties", nil, "platform property `NAME=VALUE` of every action; repeatable")
	f.BoolVar(&r.cfg.LinkTargets, "remote_link_targets", false, "send the target of each symbolic link as a blob, too, for a farm that looks for it there (justbuild)")
	r.connectionFlags(f, 0)
}

// connectionFlags are those of whoever talks to a farm, clients and workers. Only workers ask unless told to
// whether the farm is there: other farms than ours may end a connection for that.
func (r *remoteFlags) connectionFlags(f *pflag.FlagSet, keepalive time.Duration) {
	f.StringVar(&r.cfg.Instance, "remote_instance_name", "", "instance `NAME` at the farm")
	f.StringArrayVar(&r.headers, "remote_header", nil, "`NAME=VALUE` to send with every call; repeatable")
	f.StringVar(&r.cfg.TLSCertificate, "tls_certificate", "", "`FILE` of certificates to trust instead of the system's")
	f.StringVar(&r.cfg.TLSClientCertificate, "tls_client_certificate", "", "`FILE` of the client's certificate")
	f.StringVar(&r.cfg.TLSClientKey, "tls_client_key", "", "`FILE` of the client's key")
	f.StringVar(&r.cfg.CredentialHelper, "credential_helper", "", "`PROGRAM` that yields credentials, or PATTERN=PROGRAM")
	f.DurationVar(&r.cfg.Timeout, "remote_timeout", time.Minute, "`DURATION` that each call but execution may take")
	silence := "`DURATION` of silence after which the farm is asked whether it is there"
	if keepalive == 0 {
		silence += " (default: never)"
	}
	f.DurationVar(&r.cfg.Keepalive, "grpc_keepalive_time", keepalive, silence)
	f.IntVar(&r.cfg.Retries, "remote_retries", 5, "try a call again up to `N` times")
}

// config checks the flags against one another.
func (r *remoteFlags) config() (farm.Config, error) {
	var err error
	if r.cfg.Cache != "" && r.cfg.Executor == "" {
		return r.cfg, fmt.Errorf("--remote_cache needs --remote_executor: the embedded farm has a store of its own")
	}
	if r.cfg.Timeout <= 0 {
		return r.cfg, fmt.Errorf("--remote_timeout %v: want a positive duration", r.cfg.Timeout)
	}
	if r.cfg.Retries == 0 {
		r.cfg.Retries = -1 // farm.Config's zero means its default
	}
	if r.cfg.Headers, err = pairs("--remote_header", r.headers); err != nil {
		return r.cfg, err
	}
	r.cfg.Dial = traceDial()
	r.cfg.DefaultExecProperties, err = pairs("--remote_default_exec_properties", r.properties)
	return r.cfg, err
}

func pairs(flag string, list []string) (map[string]string, error) {
	m := map[string]string{}
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%s %q: want NAME=VALUE", flag, s)
		}
		m[name] = value
	}
	return m, nil
}
