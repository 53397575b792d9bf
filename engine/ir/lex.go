package ir

import (
	"fmt"
	"strings"
)

// A token's kind is one of these or, for punctuation, the character itself.
const (
	tokEOF    rune = -1 - iota
	tokWord        // add, i32, b0
	tokNumber      // 12, -3
	tokString      // "text", unescaped
	tokLocal       // %name, without the sign
	tokGlobal      // @name, without the sign
	tokRange       // .. or ..=
)

type token struct {
	kind      rune
	text      string
	line, col int
}

func (t token) String() string {
	switch t.kind {
	case tokEOF:
		return "end of text"
	case tokString:
		return fmt.Sprintf("%q", t.text)
	case tokLocal:
		return "%" + t.text
	case tokGlobal:
		return "@" + t.text
	}
	return t.text
}

// lexer splits the text form into tokens; newlines only separate.
type lexer struct {
	text      string
	pos       int
	line      int
	lineStart int
	err       error
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$'
}

// isWordByte also takes the dots that LLVM's own names are full of.
func isWordByte(c byte) bool { return c == '.' || isNameByte(c) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexer) skipSpace() {
	for l.pos < len(l.text) {
		switch l.text[l.pos] {
		case '\n':
			l.line++
			l.lineStart = l.pos + 1
		case ' ', '\t', '\r':
		case ';':
			if i := strings.IndexByte(l.text[l.pos:], '\n'); i >= 0 {
				l.pos += i
				continue
			}
			l.pos = len(l.text)
			return
		default:
			return
		}
		l.pos++
	}
}

func (l *lexer) peekByte(n int) byte {
	if l.pos+n < len(l.text) {
		return l.text[l.pos+n]
	}
	return 0
}

// next returns the next token; after an error only tokEOF.
func (l *lexer) next() token {
	l.skipSpace()
	t := token{kind: tokEOF, line: l.line + 1, col: l.pos - l.lineStart + 1}
	if l.err != nil || l.pos >= len(l.text) {
		return t
	}
	c := l.text[l.pos]
	switch {
	case c == '"':
		t.kind, t.text = tokString, l.str(t)
	case c == '%' || c == '@':
		l.pos++
		t.kind, t.text = tokLocal, l.run(isWordByte)
		if c == '@' {
			t.kind = tokGlobal
		}
	case isDigit(c) || c == '-' && isDigit(l.peekByte(1)):
		start := l.pos
		l.pos++
		l.run(isDigit)
		t.kind, t.text = tokNumber, l.text[start:l.pos]
	case isNameByte(c):
		t.kind, t.text = tokWord, l.run(isWordByte)
	case c == '.' && l.peekByte(1) == '.':
		t.kind, t.text = tokRange, ".."
		if l.peekByte(2) == '=' {
			t.text = "..="
		}
		l.pos += len(t.text)
	default:
		l.pos++
		t.kind, t.text = rune(c), string(rune(c))
	}
	if l.err != nil {
		t.kind = tokEOF
	}
	return t
}

func (l *lexer) run(in func(byte) bool) string {
	start := l.pos
	for l.pos < len(l.text) && in(l.text[l.pos]) {
		l.pos++
	}
	return l.text[start:l.pos]
}

// str reads a string; \xx stands for the byte with that hexadecimal value.
func (l *lexer) str(at token) string {
	var b strings.Builder
	for l.pos++; ; l.pos++ {
		switch c := l.peekByte(0); {
		case c == '"':
			l.pos++
			return b.String()
		case c == '\n' || l.pos >= len(l.text):
			l.err = &SyntaxError{at.line, at.col, "string does not end on its line"}
			return ""
		case c == '\\':
			hi, lo := unhex(l.peekByte(1)), unhex(l.peekByte(2))
			if hi < 0 || lo < 0 {
				l.err = &SyntaxError{l.line + 1, l.pos - l.lineStart + 1, `\ wants two hexadecimal digits`}
				return ""
			}
			b.WriteByte(byte(hi<<4 | lo))
			l.pos += 2
		default:
			b.WriteByte(c)
		}
	}
}

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// SyntaxError says where and why a text is not a slice. Line and Col count from 1.
type SyntaxError struct {
	Line, Col int
	Msg       string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Col, e.Msg) }
