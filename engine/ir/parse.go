package ir

import (
	"fmt"
	"math/big"
	"strconv"
)

// Limits of what Parse accepts, so that a text cannot ask for more memory than
// a small multiple of its own length and MaxData.
const (
	MaxText    = 256 << 20 // bytes of text
	MaxData    = 64 << 20  // bytes of all globals together
	MaxObject  = 1 << 40   // bytes of one type, alloca or external object
	MaxNesting = 64        // depth of types, constants and shapes
	MaxFields  = 1 << 16   // fields of one struct type
)

// Parse reads the text form. The result passes Sanity. Errors about the form of
// the text are *SyntaxError; what the text says wrongly is told by Sanity.
func Parse(text []byte) (*Slice, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("parse slice: %d bytes are more than %d", len(text), MaxText)
	}
	p := &parser{lex: lexer{text: string(text)}, slice: &Slice{}, symbols: map[string]Value{}}
	p.declare()
	if !p.failed() {
		p.lex = lexer{text: string(text)}
		p.advance()
		p.advance()
		p.parseSlice()
	}
	if p.lex.err != nil {
		return nil, fmt.Errorf("parse slice: %w", p.lex.err)
	}
	if err := Sanity(p.slice); err != nil {
		return nil, fmt.Errorf("parse slice: %w", err)
	}
	return p.slice, nil
}

// parser is a recursive descent parser with two tokens of lookahead. The first
// error sticks in lex.err; from then on every token is tokEOF.
type parser struct {
	lex      lexer
	tok      token // current
	ahead    token // the one after it
	slice    *Slice
	symbols  map[string]Value // @name to GlobalAddr, FuncAddr or ExternAddr
	fn       *funcScope
	nesting  int
	dataSize int64
}

// declare finds the names of all globals, externs and functions, which may be
// used before they are defined.
func (p *parser) declare() {
	counts := map[ValueKind]int{}
	kinds := map[string]ValueKind{"global": GlobalAddr, "extern": ExternAddr, "func": FuncAddr}
	last := token{}
	for t := p.lex.next(); t.kind != tokEOF; t = p.lex.next() {
		if kind, ok := kinds[last.text]; ok && last.kind == tokWord && t.kind == tokGlobal {
			if _, dup := p.symbols[t.text]; dup {
				p.failAt(t, "@%s is defined twice", t.text)
			}
			p.symbols[t.text] = Value{Kind: kind, Type: PtrType, Index: counts[kind]}
			counts[kind]++
		}
		last = t
	}
}

func (p *parser) advance() { p.tok, p.ahead = p.ahead, p.lex.next() }

func (p *parser) failAt(t token, format string, args ...any) {
	if p.lex.err == nil {
		p.lex.err = &SyntaxError{t.line, t.col, fmt.Sprintf(format, args...)}
	}
	p.tok.kind, p.ahead.kind = tokEOF, tokEOF
}

func (p *parser) fail(format string, args ...any) { p.failAt(p.tok, format, args...) }

func (p *parser) failed() bool { return p.lex.err != nil }

// is reports whether the current token is the given punctuation.
func (p *parser) is(kind rune) bool { return p.tok.kind == kind }

// accept consumes the punctuation if it is there.
func (p *parser) accept(kind rune) bool {
	if p.tok.kind != kind {
		return false
	}
	p.advance()
	return true
}

// acceptWord consumes the word if it is there.
func (p *parser) acceptWord(word string) bool {
	if p.tok.kind != tokWord || p.tok.text != word {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(kind rune) {
	if !p.accept(kind) {
		p.fail("%v where %q is wanted", p.tok, kind)
	}
}

func (p *parser) expectWord(word string) {
	if !p.acceptWord(word) {
		p.fail("%v where %q is wanted", p.tok, word)
	}
}

func (p *parser) take(kind rune, what string) string {
	if p.tok.kind != kind {
		p.fail("%v where %s is wanted", p.tok, what)
		return ""
	}
	text := p.tok.text
	p.advance()
	return text
}

func (p *parser) word(what string) string { return p.take(tokWord, what) }
func (p *parser) str(what string) string  { return p.take(tokString, what) }

// number reads an integer within [lo, hi].
func (p *parser) number(what string, lo, hi int64) int64 {
	at := p.tok
	n, err := strconv.ParseInt(p.take(tokNumber, what), 10, 64)
	if !p.failed() && (err != nil || n < lo || n > hi) {
		p.failAt(at, "%s %s is not within [%d, %d]", what, at.text, lo, hi)
	}
	return n
}

// maxDigits is enough for an integer of MaxBits.
const maxDigits = 1234

func (p *parser) bigNumber(what string) *big.Int {
	at := p.tok
	n, ok := new(big.Int).SetString(p.take(tokNumber, what), 10)
	if !ok || len(at.text) > maxDigits {
		p.failAt(at, "%s of %d digits", what, len(at.text))
		return new(big.Int)
	}
	return n
}

func (p *parser) align() int64 {
	at := p.tok
	n := p.number("an alignment", 1, 1<<32)
	if n&(n-1) != 0 {
		p.failAt(at, "alignment %d is not a power of two", n)
		return 1
	}
	return n
}

// list reads items separated by commas up to the closing punctuation.
func (p *parser) list(end rune, item func()) {
	for !p.accept(end) && !p.failed() {
		item()
		if !p.is(end) {
			p.expect(',')
		}
	}
}

// enter guards against nesting so deep that the stack would overflow.
func (p *parser) enter() {
	if p.nesting++; p.nesting > MaxNesting {
		p.fail("nested more than %d deep", MaxNesting)
	}
}

func (p *parser) leave() { p.nesting-- }

func (p *parser) parseSlice() {
	p.expectWord("kvslice")
	p.number("the version", Version, Version)
	if p.acceptWord("arch") {
		p.slice.Arch = p.word("an architecture")
	}
	for p.tok.kind != tokEOF && !p.failed() {
		p.topLevel()
	}
}

func (p *parser) topLevel() {
	switch {
	case p.acceptWord("global"):
		p.take(tokGlobal, "a name")
		p.slice.Globals = append(p.slice.Globals, p.global())
	case p.acceptWord("extern"):
		name := p.take(tokGlobal, "a name")
		p.slice.Externs = append(p.slice.Externs, p.extern(name))
	case p.acceptWord("func"):
		name := p.take(tokGlobal, "a name")
		p.slice.Funcs = append(p.slice.Funcs, p.function(name))
	case p.slice.Inputs == nil && p.acceptWord("inputs"):
		p.slice.Inputs = p.inputs()
	default:
		p.fail("%v where global, extern, func or inputs is wanted", p.tok)
	}
}

func (p *parser) extern(name string) *Extern {
	e := &Extern{Symbol: name}
	if p.is(tokString) {
		e.Symbol = p.str("a symbol")
	}
	if e.Omitted = p.acceptWord("omitted"); e.Omitted {
		e.Symbol = ""
	}
	if p.acceptWord("panic") {
		e.Panic = p.word("a kind of panic")
	}
	p.expect('(')
	p.list(')', func() { e.Sig.Params = append(e.Sig.Params, p.param()) })
	p.sigTail(&e.Sig)
	return e
}

// sigTail reads "-> type attributes", which may be left out for void.
func (p *parser) sigTail(sig *Sig) {
	sig.Ret.Type = VoidType
	if p.accept('-') {
		p.expect('>')
		sig.Ret = p.param()
	}
	sig.Variadic = p.acceptWord("variadic")
	sig.NoReturn = p.acceptWord("noreturn")
}

func (p *parser) param() Param {
	t := p.typ()
	return Param{Type: t, Attr: p.attr(t)}
}

// attr reads the attributes of a value of type t.
func (p *parser) attr(t *Type) Attr {
	var a Attr
	for p.is(tokWord) && p.ahead.kind != ':' && !p.failed() {
		name := p.tok.text
		if i := index(attrNames, name); i >= 0 {
			p.advance()
			*a.bools()[i] = true
		} else if i := index(attrNumbers, name); i >= 0 {
			p.advance()
			*a.numbers()[i] = p.attrNumber(name)
		} else if i := index(attrTypes, name); i >= 0 {
			p.advance()
			*a.types()[i] = p.typ()
		} else if name == "range" {
			p.advance()
			a.RangeLo, a.RangeHi = p.attrRange(t)
		} else {
			break
		}
	}
	return a
}

func (p *parser) attrNumber(name string) int64 {
	if name == "align" {
		return p.align()
	}
	return p.number("a size", 1, MaxObject)
}

func (p *parser) attrRange(t *Type) (lo, hi *big.Int) {
	at := p.tok
	lo = p.bigNumber("a range")
	p.take(tokRange, "..")
	hi = p.bigNumber("a range")
	width := t.Scalar().Bits
	for _, n := range []*big.Int{lo, hi} {
		if t.Scalar().Kind != Int || !normalize(n, width) {
			p.failAt(at, "range %v..%v of %v", lo, hi, t)
		}
	}
	return lo, hi
}

// normalize makes n of [-2^(width-1), 2^width) the unsigned number of the same
// bits. It reports whether n was within.
func normalize(n *big.Int, width int) bool {
	if n.Sign() >= 0 {
		return n.BitLen() <= width
	}
	mod := new(big.Int).Lsh(big.NewInt(1), uint(width))
	n.Add(n, mod)
	return n.Sign() > 0 && n.BitLen() == width
}
