package expr

// Facts is what is known of an expression without solving.
type Facts struct{}

func (b *Builder) newFacts(n *node) uint32 { return 0 }

type supports struct{}
