package main

import (
	"flag"
	"fmt"

	"github.com/kvfarm/kvfarm/engine/certificate"
	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// proveCertified proves a slice, with evidence in a folder if one is named.
// The verdict is the same with and without.
func proveCertified(s *ir.Slice, cfg exec.Config, dir string) (*verdict.Verdict, error) {
	if dir == "" {
		return check.Prove(s, cfg)
	}
	w, err := certificate.NewWriter(dir)
	if err != nil {
		return nil, err
	}
	cfg.Watch = w.Query
	v, err := check.Prove(s, cfg)
	if err != nil {
		return nil, err
	}
	return v, w.Close()
}

// checkCertificate checks the proofs of a certificate.
func checkCertificate(args []string) error {
	fs := flag.NewFlagSet("check", flag.ContinueOnError)
	if err := flags(fs, args, 1); err != nil {
		return err
	}
	x, err := certificate.Check(fs.Arg(0))
	if err != nil {
		return err
	}
	open := x.Open()
	fmt.Printf("%d contradictions rest on %d steps: %d proofs hold, %d are open\n", x.Unsat, len(x.Steps), len(x.Steps)-len(open), len(open))
	return nil
}
