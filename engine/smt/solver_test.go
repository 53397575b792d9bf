package smt_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/smt/smttest"
)

func TestChain(t *testing.T) {
	smttest.Run(t, func(b *expr.Builder) smt.Solver { return smt.New(b, smt.Config{}) })
}
