package ir

import "math/big"

func (p *parser) global() *Global {
	g := &Global{Align: 1}
	if p.acceptWord("loc") {
		g.Loc = 1 + int(p.number("a location", 0, 1<<30))
		g.Const, g.Size, g.Align = true, LocSize, 8
		return g
	}
	g.Const = p.acceptWord("const")
	g.UnnamedAddr = p.acceptWord("unnamed_addr")
	if p.acceptWord("align") {
		g.Align = p.align()
	}
	if p.acceptWord("external") {
		g.External = true
		g.Symbol = p.str("a symbol")
		p.expectWord("size")
		g.Size = p.number("a size", 0, MaxObject)
		return g
	}
	p.expect('=')
	for first := true; first || p.accept(','); first = false {
		p.dataPart(g)
	}
	g.Size = int64(len(g.Data))
	return g
}

// dataPart reads "text", zero N, undef N, ptr VALUE or an integer such as i32 7.
func (p *parser) dataPart(g *Global) {
	switch {
	case p.is(tokString):
		p.grow(g, int64(len(p.tok.text)))
		if !p.failed() {
			g.Data = append(g.Data, p.str("bytes")...)
		}
	case p.acceptWord("zero"):
		p.blank(g, p.number("a size", 0, MaxData))
	case p.acceptWord("undef"):
		n := p.number("a size", 1, MaxData)
		lo := int64(len(g.Data))
		p.blank(g, n)
		if last := len(g.Undef) - 1; last >= 0 && g.Undef[last].Hi == lo {
			g.Undef[last].Hi = lo + n
			return
		}
		g.Undef = append(g.Undef, Range{lo, lo + n})
	case p.acceptWord("ptr"):
		target := p.value(PtrType)
		g.Relocs = append(g.Relocs, Reloc{int64(len(g.Data)), target})
		p.blank(g, 8)
	default:
		p.dataInt(g)
	}
}

func (p *parser) dataInt(g *Global) {
	at := p.tok
	t := p.typ()
	v := p.value(t)
	if p.failed() {
		return
	}
	if t.Kind != Int || v.Kind != ConstInt || t.Bits%8 != 0 {
		p.failAt(at, "an integer of whole bytes is wanted")
		return
	}
	p.grow(g, t.StoreSize())
	g.Data = append(g.Data, littleEndian(v.Big, int(t.StoreSize()))...)
}

// littleEndian is the size lowest bytes of n.
func littleEndian(n *big.Int, size int) []byte {
	b := n.FillBytes(make([]byte, max(size, (n.BitLen()+7)/8)))
	out := make([]byte, size)
	for i := range out {
		out[i] = b[len(b)-1-i]
	}
	return out
}

func (p *parser) blank(g *Global, n int64) {
	p.grow(g, n)
	if !p.failed() {
		g.Data = append(g.Data, make([]byte, n)...)
	}
}

// grow accounts for n more bytes of data.
func (p *parser) grow(g *Global, n int64) {
	if p.dataSize += n; p.dataSize > MaxData {
		p.fail("globals hold more than %d bytes", MaxData)
	}
}
