package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/kvfarm/kvfarm/kbuild/graph"
)

// archFlag is --arch. Whoever builds kernels for another architecture has ARCH
// in the environment, as the kernel's Makefile wants it: it holds where the flag
// is not given.
type archFlag struct{ *graph.Arch }

// Set implements pflag.Value.
func (a *archFlag) Set(name string) (err error) {
	a.Arch, err = graph.ArchFor(name)
	return err
}

// String implements pflag.Value.
func (a *archFlag) String() string {
	if a.Arch == nil {
		return ""
	}
	return a.Name
}

// Type implements pflag.Value.
func (*archFlag) Type() string { return "ARCH" }

// check takes the environment's, if there was no flag.
func (a *archFlag) check() error {
	if a.Arch != nil {
		return nil
	}
	if err := a.Set(os.Getenv("ARCH")); err != nil {
		return fmt.Errorf("ARCH of the environment: %w", err)
	}
	return nil
}

// foreign reports whether code for it does not run here, nor on workers: the
// toolchain's programs are this machine's.
func (a *archFlag) foreign() bool { return a.Machine != runtime.GOARCH }
