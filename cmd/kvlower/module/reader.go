package module

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// reader takes the stream apart. The first error sticks; from then on every
// number is 0 and every count empty.
type reader struct {
	b       []byte
	err     error
	strings []string
	types   []*ir.Type
	debug   []*DebugType
}

var errShort = errors.New("stream ends early")

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) u() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[size:]
	return n
}

// i reads a signed number in zigzag.
func (r *reader) i() int64 {
	n := r.u()
	return int64(n>>1) ^ -int64(n&1)
}

// n reads the number of things that follow, each at least one byte long.
func (r *reader) n() int {
	n := r.u()
	if n > uint64(len(r.b)) {
		r.fail(fmt.Errorf("%d things in %d bytes", n, len(r.b)))
		return 0
	}
	return int(n)
}

func (r *reader) int() int {
	n := r.u()
	if n > 1<<31 {
		r.fail(fmt.Errorf("number %d is too large", n))
		return 0
	}
	return int(n)
}

// size reads a number of bytes.
func (r *reader) size() int64 {
	n := r.u()
	if n > ir.MaxObject {
		r.fail(fmt.Errorf("size %d is larger than %d", n, int64(ir.MaxObject)))
		return 0
	}
	return int64(n)
}

func (r *reader) raw() []byte {
	n := r.n()
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// str reads an interned string.
func (r *reader) str() string {
	i := r.u()
	if i >= uint64(len(r.strings)) {
		r.fail(fmt.Errorf("no string %d", i))
		return ""
	}
	return r.strings[i]
}

// typ reads an interned type.
func (r *reader) typ() *ir.Type {
	i := r.u()
	if i >= uint64(len(r.types)) {
		r.fail(fmt.Errorf("no type %d", i))
		return ir.VoidType
	}
	return r.types[i]
}

// big reads an unsigned number in hexadecimal.
func (r *reader) big() *big.Int {
	n, ok := new(big.Int).SetString(string(r.raw()), 16)
	if !ok {
		r.fail(errors.New("number is not hexadecimal"))
		return new(big.Int)
	}
	return n
}

func (r *reader) readStrings() {
	for range r.n() {
		r.strings = append(r.strings, string(r.raw()))
	}
}

// maxParts is the number of parts that a type may have when it is written out.
const maxParts = 1 << 16

func (r *reader) readTypes() {
	parts := map[*ir.Type]int{}
	for range r.n() {
		t := &ir.Type{Kind: ir.Kind(r.kind())}
		t.Bits = r.int()
		t.Len = int(r.size())
		t.Packed = r.u() != 0
		for range r.n() {
			elem := r.typ()
			t.Elems = append(t.Elems, elem)
			parts[t] += 1 + parts[elem]
		}
		if parts[t] > maxParts {
			r.fail(fmt.Errorf("type of more than %d parts", maxParts))
			return
		}
		if t.Kind == ir.Array || t.Kind == ir.Vector {
			if len(t.Elems) != 1 {
				r.fail(fmt.Errorf("array of %d types", len(t.Elems)))
				return
			}
			t.Elem, t.Elems = t.Elems[0], nil
		}
		r.types = append(r.types, t)
	}
}

func (r *reader) kind() uint64 {
	k := r.u()
	if k > uint64(ir.Float) {
		r.fail(fmt.Errorf("no kind of type %d", k))
		return 0
	}
	return k
}

// align reads an alignment, 0 if there is none.
func (r *reader) align() int64 {
	n := r.u()
	if n > 1<<32 || n&(n-1) != 0 {
		r.fail(fmt.Errorf("alignment %d", n))
		return 0
	}
	return int64(n)
}

// param reads a type with attributes; see Writer::param.
func (r *reader) param() ir.Param {
	p := ir.Param{Type: r.typ()}
	a := &p.Attr
	bits := r.u()
	for i, set := range []*bool{&a.NoUndef, &a.NonNull, &a.NoAlias, &a.ReadOnly, &a.WriteOnly, &a.ZeroExt, &a.SignExt} {
		*set = bits&(1<<i) != 0
	}
	a.Align = r.align()
	a.Deref = r.size()
	a.DerefOrNull = r.size()
	if bits&(1<<7) != 0 {
		a.SRet = r.typ()
	}
	if bits&(1<<8) != 0 {
		a.ByVal = r.typ()
	}
	if bits&(1<<9) != 0 {
		a.RangeLo, a.RangeHi = r.big(), r.big()
	}
	return p
}

// Operand tags; see writer.h.
const (
	tagRegister = iota
	tagInt
	tagNull
	tagPoison
	tagUndef
	tagZero
	tagGlobal
	tagFunction
	tagAggregate
	tagAddrInt
	tagAsm
	tagUnsupported
)

var plainTags = map[uint64]ir.ValueKind{tagNull: ir.Null, tagPoison: ir.Poison, tagUndef: ir.Undef, tagZero: ir.Zero}

// value reads an operand. why is not empty when it is of a kind that a slice cannot hold.
func (r *reader) value(why *string) ir.Value {
	v := ir.Value{Type: r.typ()}
	tag := r.u()
	switch tag {
	case tagRegister:
		v.Index = r.int()
	case tagInt:
		v.Kind, v.Big = ir.ConstInt, r.big()
		if v.Type.Kind == ir.Ptr && v.Big.Sign() == 0 {
			v.Kind, v.Big = ir.Null, nil
		}
	case tagGlobal, tagFunction:
		return r.address(v.Type, tag)
	case tagAggregate:
		v.Kind = ir.Aggregate
		for range r.n() {
			v.Elems = append(v.Elems, r.value(why))
		}
	case tagAddrInt:
		v.Kind, v.Elems = ir.AddrInt, []ir.Value{r.address(ir.PtrType, r.u())}
	case tagAsm:
		v.Kind, v.Asm = ir.AsmRef, &ir.Asm{Template: r.str(), Constraints: r.str()}
		v.Asm.SideEffect = r.u() != 0
		v.Type = ir.PtrType
	case tagUnsupported:
		v.Kind, *why = ir.Poison, r.str()
	default:
		kind, ok := plainTags[tag]
		if !ok {
			r.fail(fmt.Errorf("no operand %d", tag))
		}
		v.Kind = kind
	}
	return v
}

func (r *reader) address(t *ir.Type, tag uint64) ir.Value {
	v := ir.Value{Kind: ir.GlobalAddr, Type: t}
	if tag == tagFunction {
		v.Kind = ir.FuncAddr
	}
	v.Index = r.int()
	v.Off = r.i()
	return v
}
