package cut

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// extern is a function without a body as every slice has it, and the key by which instances
// of one are told to be the same.
type extern struct {
	*ir.Extern
	key string
}

// extern returns function i, which has no body, as body does those that have.
func (c *Cutter) extern(i int) *extern {
	e := c.externs[i].Load()
	if e == nil {
		e = c.newExtern(i)
		c.externs[i].Store(e)
	}
	return e
}

func (c *Cutter) newExtern(i int) *extern {
	f := c.m.Funcs[i]
	e := &ir.Extern{Symbol: f.Symbol, Panic: c.panic[i], Sig: f.Sig}
	if e.Panic != "" {
		e.Symbol = withoutGenerics(f.Name)
		e.Sig.NoReturn = true
	} else if f.Name != f.Symbol {
		e.Symbol = f.Name
	}
	return &extern{e, fmt.Sprintf("%q %s %v", e.Symbol, e.Panic, sigKey(&e.Sig))}
}

// sigKey tells signatures apart: intrinsics of one name have several.
func sigKey(sig *ir.Sig) string {
	return fmt.Sprintf("%v %v %v", paramKeys(sig.Params), paramKeys([]ir.Param{sig.Ret}), sig.Variadic)
}

func paramKeys(params []ir.Param) []string {
	var out []string
	for _, p := range params {
		out = append(out, fmt.Sprint(p.Type, p.Attr))
	}
	return out
}
