package interp

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// Source gives the inputs of a run.
type Source interface {
	// Dynamic is asked in the order of the run: for any#N and fail#N. Only the
	// lowest free of the bits may be set.
	Dynamic(name string, bits, free int) (*big.Int, error)
	// Root is asked for a part of an automatic root's arguments, by name. Only
	// values in one of the spans are valid, if there are any. Nil means that it
	// does not matter.
	Root(name string, bits int, valid []ir.Span) *big.Int
}

// witness replays a list of inputs.
type witness struct {
	dynamic []Input
	root    map[string]*big.Int
}

// Witness gives the inputs of a list: dynamic ones in its order, the others by name.
func Witness(list []Input) Source {
	w := &witness{root: map[string]*big.Int{}}
	for _, in := range list {
		if strings.Contains(in.Name, "#") {
			w.dynamic = append(w.dynamic, in)
		} else {
			w.root[in.Name] = in.Value
		}
	}
	return w
}

func (w *witness) Dynamic(name string, bits, _ int) (*big.Int, error) {
	if len(w.dynamic) == 0 {
		return nil, fmt.Errorf("no input left for %s", name)
	}
	in := w.dynamic[0]
	if in.Name != name || in.Bits != bits {
		return nil, fmt.Errorf("input %s of %d bits where the run asks for %s of %d", in.Name, in.Bits, name, bits)
	}
	w.dynamic = w.dynamic[1:]
	return in.Value, nil
}

func (w *witness) Root(name string, _ int, _ []ir.Span) *big.Int { return w.root[name] }

// random draws inputs from a seed.
type random struct{ state uint64 }

// Random gives inputs drawn from a seed, with small, large and special values
// more often than chance would have them.
func Random(seed uint64) Source { return &random{seed} }

// next is splitmix64.
func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *random) Dynamic(name string, _, free int) (*big.Int, error) {
	if strings.HasPrefix(name, "fail#") {
		return new(big.Int).SetUint64(bit(r.next()%8 == 0)), nil
	}
	return r.number(free), nil
}

func (r *random) Root(name string, bits int, valid []ir.Span) *big.Int {
	if len(valid) > 0 {
		return r.within(valid[r.next()%uint64(len(valid))], bits)
	}
	if strings.HasSuffix(name, ".null") {
		return new(big.Int).SetUint64(bit(r.next()%4 == 0))
	}
	return r.number(bits)
}

// within draws from a span, mostly near its ends; nil if it needs more bits.
func (r *random) within(s ir.Span, bits int) *big.Int {
	size := new(big.Int).Sub(s.Hi, s.Lo)
	if size.Sign() < 0 || s.Hi.BitLen() > bits {
		return nil
	}
	v := r.number(max(size.BitLen(), 1))
	if r.next()%16 != 0 {
		v.SetUint64(r.next() % 65) // large objects take long to fill
	}
	v.Mod(v, size.Add(size, big.NewInt(1)))
	return v.Add(v, s.Lo)
}

func (r *random) number(bits int) *big.Int {
	v := new(big.Int)
	for range (bits + 63) / 64 {
		v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(r.next()))
	}
	switch r.next() % 8 {
	case 0, 1, 2: // small
		v.SetUint64(r.next() % 17)
	case 3: // just below the top, or around the sign bit
		v.Lsh(big.NewInt(1), uint(bits-int(r.next()%2)))
		v.Sub(v, new(big.Int).SetUint64(r.next()%4))
	case 4: // of any magnitude
		v.Rsh(v, uint(r.next()%uint64(bits)))
	}
	if v.Sign() < 0 {
		v.Neg(v)
	}
	return cut(v, bits)
}

func cut(v *big.Int, bits int) *big.Int {
	one := big.NewInt(1)
	return v.And(v, one.Sub(new(big.Int).Lsh(one, uint(bits)), one))
}

// dynamic asks for the next input of the run.
func (m *machine) dynamic(kind string, bits, free int) (*big.Int, *Outcome) {
	name := kind + "#" + strconv.Itoa(m.asked)
	m.asked++
	v, err := m.source.Dynamic(name, bits, free)
	if err != nil {
		return nil, m.badInput(err)
	}
	if v == nil || v.Sign() < 0 || v.BitLen() > free {
		return nil, m.badInput(fmt.Errorf("%s is no number of %d bits", name, free))
	}
	m.consumed = append(m.consumed, Input{name, bits, v})
	return v, nil
}

// rootInput asks for a part of the arguments; nil means any value will do.
func (m *machine) rootInput(name string, bits int, valid []ir.Span) (*big.Int, *Outcome) {
	v := m.source.Root(name, bits, valid)
	if v == nil {
		return nil, nil
	}
	if v.Sign() < 0 || v.BitLen() > bits {
		return nil, m.badInput(fmt.Errorf("%s is no number of %d bits", name, bits))
	}
	m.consumed = append(m.consumed, Input{name, bits, v})
	return v, nil
}

func (m *machine) badInput(err error) *Outcome {
	o := m.end(OutOfInputs, "")
	o.Detail = err.Error()
	return o
}
