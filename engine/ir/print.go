package ir

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"
)

// Print returns the canonical text of s, which must pass Sanity. Names of
// functions and inputs are not part of it.
func Print(s *Slice) []byte {
	p := &printer{b: make([]byte, 0, s.length())}
	p.f("kvslice %d\n", Version)
	if s.Arch != "" {
		p.f("arch %s\n", s.Arch)
	}
	p.section(len(s.Globals))
	for i, g := range s.Globals {
		p.global(i, g)
	}
	p.section(len(s.Externs))
	for i, e := range s.Externs {
		p.extern(i, e)
	}
	for i, f := range s.Funcs {
		p.b = append(p.b, '\n')
		p.function(i, f)
	}
	if s.Inputs != nil {
		p.inputs(s.Inputs)
	}
	return p.b
}

type printer struct{ b []byte }

// length is about how long the text of s is, rather too long.
func (s *Slice) length() int {
	const most = 60 // of most instructions and heads
	n := most
	for _, g := range s.Globals {
		n += most + len(g.Data)
	}
	for _, f := range s.Funcs {
		for _, b := range f.Blocks {
			n += most * (len(b.Insts) + 1)
		}
	}
	return n
}

func (p *printer) f(format string, args ...any) { p.b = fmt.Appendf(p.b, format, args...) }
func (p *printer) s(s string)                   { p.b = append(p.b, s...) }
func (p *printer) n(n int64)                    { p.b = strconv.AppendInt(p.b, n, 10) }
func (p *printer) typ(t *Type)                  { p.b = t.append(p.b) }

// word writes s behind what stands there.
func (p *printer) word(s string) {
	p.b = append(p.b, ' ')
	p.b = append(p.b, s...)
}

func (p *printer) section(n int) {
	if n > 0 {
		p.s("\n")
	}
}

func (p *printer) quote(s []byte) {
	const hex = "0123456789abcdef"
	p.b = append(p.b, '"')
	for _, c := range s {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			p.b = append(p.b, '\\', hex[c>>4], hex[c&15])
		} else {
			p.b = append(p.b, c)
		}
	}
	p.b = append(p.b, '"')
}

func (p *printer) global(i int, g *Global) {
	p.f("global @g%d", i)
	if g.Loc != 0 {
		p.f(" loc %d\n", g.Loc-1)
		return
	}
	if g.Const {
		p.s(" const")
	}
	if g.UnnamedAddr {
		p.s(" unnamed_addr")
	}
	p.f(" align %d", g.Align)
	if g.External {
		p.s(" external ")
		p.quote([]byte(g.Symbol))
		p.f(" size %d\n", g.Size)
		return
	}
	p.s(" = ")
	p.data(g)
	p.s("\n")
}

// minZeros is the shortest run of zero bytes that is written as "zero N".
const minZeros = 9

func (p *printer) data(g *Global) {
	pos, parts := int64(0), 0
	sep := func() {
		if parts++; parts > 1 {
			p.s(", ")
		}
	}
	for _, part := range g.parts() {
		p.bytes(g.Data[pos:part.at], sep)
		sep()
		if part.target != nil {
			p.s("ptr ")
			p.value(part.target)
		} else {
			p.f("undef %d", part.size)
		}
		pos = part.at + part.size
	}
	p.bytes(g.Data[pos:], sep)
	if parts == 0 {
		p.s("zero 0")
	}
}

// part is a piece of a global that is not plain bytes.
type part struct {
	at, size int64
	target   *Value // nil: undef
}

// parts merges Relocs and Undef, both sorted, by offset.
func (g *Global) parts() []part {
	var out []part
	r, u := 0, 0
	for r < len(g.Relocs) || u < len(g.Undef) {
		if u == len(g.Undef) || r < len(g.Relocs) && g.Relocs[r].Offset < g.Undef[u].Lo {
			out = append(out, part{g.Relocs[r].Offset, 8, &g.Relocs[r].Target})
			r++
		} else {
			out = append(out, part{g.Undef[u].Lo, g.Undef[u].Hi - g.Undef[u].Lo, nil})
			u++
		}
	}
	return out
}

// bytes writes b as strings and long runs of zeros.
func (p *printer) bytes(b []byte, sep func()) {
	text := 0 // start of the pending string
	flush := func(end int) {
		if end > text {
			sep()
			p.quote(b[text:end])
		}
	}
	for i := 0; i < len(b); {
		run := len(b[i:]) - len(bytes.TrimLeft(b[i:], "\x00"))
		if run >= minZeros {
			flush(i)
			sep()
			p.f("zero %d", run)
			text = i + run
		}
		i += max(run, 1)
	}
	flush(len(b))
}

func (p *printer) extern(i int, e *Extern) {
	p.f("extern @e%d ", i)
	if e.Omitted {
		p.s("omitted")
	} else {
		p.quote([]byte(e.Symbol))
	}
	if e.Panic != "" {
		p.f(" panic %s", e.Panic)
	}
	p.s(" (")
	for i, param := range e.Sig.Params {
		p.comma(i)
		p.param(param)
	}
	p.s(")")
	p.sigTail(&e.Sig)
	p.s("\n")
}

func (p *printer) comma(i int) {
	if i > 0 {
		p.s(", ")
	}
}

func (p *printer) sigTail(sig *Sig) {
	p.s(" -> ")
	p.param(sig.Ret)
	if sig.Variadic {
		p.s(" variadic")
	}
	if sig.NoReturn {
		p.s(" noreturn")
	}
}

func (p *printer) param(param Param) {
	p.typ(param.Type)
	p.attr(&param.Attr)
}

func (p *printer) attr(a *Attr) {
	if *a == (Attr{}) {
		return
	}
	for i, set := range a.bools() {
		if *set {
			p.word(attrNames[i])
		}
	}
	for i, n := range a.numbers() {
		if *n != 0 {
			p.word(attrNumbers[i])
			p.s(" ")
			p.n(*n)
		}
	}
	for i, t := range a.types() {
		if *t != nil {
			p.f(" %s %v", attrTypes[i], *t)
		}
	}
	if a.RangeLo != nil {
		p.f(" range %v..%v", a.RangeLo, a.RangeHi)
	}
}

// The words of an Attr, in the order in which the text form writes them.
var (
	attrNames   = []string{"noundef", "nonnull", "noalias", "readonly", "writeonly", "zeroext", "signext"}
	attrNumbers = []string{"align", "deref", "deref_or_null"}
	attrTypes   = []string{"sret", "byval"}
)

func (a *Attr) bools() [7]*bool {
	return [...]*bool{&a.NoUndef, &a.NonNull, &a.NoAlias, &a.ReadOnly, &a.WriteOnly, &a.ZeroExt, &a.SignExt}
}
func (a *Attr) numbers() [3]*int64 { return [...]*int64{&a.Align, &a.Deref, &a.DerefOrNull} }
func (a *Attr) types() [2]**Type   { return [...]**Type{&a.SRet, &a.ByVal} }

func (p *printer) function(i int, f *Func) {
	p.f("func @f%d (", i)
	for i, param := range f.Sig.Params {
		p.comma(i)
		p.param(param)
		p.f(" %%%d", i)
	}
	p.s(")")
	p.sigTail(&f.Sig)
	p.s(" {\n")
	for i, b := range f.Blocks {
		p.f("b%d:\n", i)
		for _, in := range b.Insts {
			p.s("  ")
			p.inst(in)
			p.s("\n")
		}
	}
	p.s("}\n")
}

// typed writes a value with its type.
func (p *printer) typed(v *Value) {
	p.typ(v.Type)
	p.s(" ")
	p.value(v)
}

func (p *printer) values(vs []Value) {
	for i := range vs {
		p.comma(i)
		p.typed(&vs[i])
	}
}

var addrPrefix = map[ValueKind]string{GlobalAddr: "@g", FuncAddr: "@f", ExternAddr: "@e"}

func (p *printer) value(v *Value) {
	switch v.Kind {
	case Reg:
		p.s("%")
		p.n(int64(v.Index))
	case ConstInt:
		p.integer(v)
	case Null:
		p.s("null")
	case Poison:
		p.s("poison")
	case Undef:
		p.s("undef")
	case Zero:
		p.s("zero")
	case GlobalAddr, FuncAddr, ExternAddr:
		p.s(addrPrefix[v.Kind])
		p.n(int64(v.Index))
		if v.Off != 0 {
			p.f("%+d", v.Off)
		}
	case Aggregate:
		p.aggregate(v)
	case AddrInt:
		p.s("addr(")
		p.value(&v.Elems[0])
		p.s(")")
	case AsmRef:
		p.asm(v.Asm)
	}
}

func (p *printer) integer(v *Value) {
	if v.Type.Kind == Int && v.Type.Bits == 1 {
		p.b = strconv.AppendBool(p.b, v.Big.Sign() != 0)
		return
	}
	if v.Type.Kind == Int && v.Big.BitLen() == v.Type.Bits {
		mod := new(big.Int).Lsh(big.NewInt(1), uint(v.Type.Bits))
		p.b = mod.Sub(v.Big, mod).Append(p.b, 10)
		return
	}
	p.b = v.Big.Append(p.b, 10)
}

func (p *printer) aggregate(v *Value) {
	open, end := "{", "}"
	switch {
	case v.Type.Kind == Array:
		open, end = "[", "]"
	case v.Type.Kind == Vector:
		open, end = "<", ">"
	}
	p.s(open)
	p.values(v.Elems)
	p.s(end)
}

func (p *printer) asm(a *Asm) {
	p.s("asm ")
	if a.SideEffect {
		p.s("sideeffect ")
	}
	p.quote([]byte(a.Template))
	p.s(" ")
	p.quote([]byte(a.Constraints))
}
