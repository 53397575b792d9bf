package cut

import "github.com/kvfarm/kvfarm/engine/ir"

// Untrimmed is a slice's inputs before what it cannot look at is left out.
func (c *Cutter) Untrimmed(symbol string) *ir.RootSpec { return c.inputs(symbol) }
