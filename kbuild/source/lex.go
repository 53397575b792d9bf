package source

import "bytes"

// tokenKind tells tokens of Rust apart, as far as ParseRust must.
type tokenKind uint8

const (
	eof   tokenKind = iota
	word            // identifier, keyword or number
	str             // string literal, without quotes and prefix; escapes stay
	punct           // one byte of anything else
)

type token struct {
	kind tokenKind
	text string
}

// lexer splits Rust into tokens and leaves out space and comments.
type lexer struct {
	src []byte
	pos int
}

func (l *lexer) next() token {
	l.space()
	if l.pos >= len(l.src) {
		return token{}
	}
	switch c := l.src[l.pos]; {
	case c == '"':
		return l.quoted('"')
	case c == '\'':
		return l.tick()
	case isWord(c):
		return l.word()
	}
	l.pos++
	return token{punct, string(l.src[l.pos-1 : l.pos])}
}

func (l *lexer) space() {
	for l.pos < len(l.src) {
		switch rest := l.src[l.pos:]; {
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\n' || rest[0] == '\r':
			l.pos++
		case bytes.HasPrefix(rest, []byte("//")):
			l.to(bytes.IndexByte(rest, '\n'))
		case bytes.HasPrefix(rest, []byte("/*")):
			l.blockComment()
		default:
			return
		}
	}
}

// to moves on by n bytes, or to the end if n is negative.
func (l *lexer) to(n int) {
	if n < 0 {
		l.pos = len(l.src)
		return
	}
	l.pos += n
}

func (l *lexer) blockComment() {
	depth := 0
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case bytes.HasPrefix(rest, []byte("/*")):
			depth++
			l.pos += 2
		case bytes.HasPrefix(rest, []byte("*/")):
			depth--
			l.pos += 2
			if depth == 0 {
				return
			}
		default:
			l.pos++
		}
	}
}

// quoted takes a literal that ends with the byte it starts with.
func (l *lexer) quoted(end byte) token {
	start := l.pos + 1
	for l.pos = start; l.pos < len(l.src); l.pos++ {
		switch l.src[l.pos] {
		case '\\':
			l.pos++
		case end:
			l.pos++
			return token{str, string(l.src[start : l.pos-1])}
		}
	}
	l.pos = len(l.src)
	return token{str, string(l.src[start:])}
}

// tick takes a character literal or the quote of a lifetime.
func (l *lexer) tick() token {
	rest := l.src[l.pos+1:]
	if len(rest) > 1 && rest[0] != '\\' {
		// 'x' is a character, also when x takes several bytes; 'x without a quote is a lifetime.
		n := 1
		for n < len(rest) && n < 4 && rest[n]&0xC0 == 0x80 {
			n++
		}
		if n >= len(rest) || rest[n] != '\'' {
			l.pos++
			return token{punct, "'"}
		}
	}
	t := l.quoted('\'')
	return token{punct, t.text}
}

// word takes an identifier, or a string with a prefix: b"", c"", r#""#, r#name.
func (l *lexer) word() token {
	start := l.pos
	for l.pos < len(l.src) && isWord(l.src[l.pos]) {
		l.pos++
	}
	text := string(l.src[start:l.pos])
	if l.pos >= len(l.src) {
		return token{word, text}
	}
	switch c := l.src[l.pos]; {
	case c == '"' && (text == "b" || text == "c"):
		return l.quoted('"')
	case c == '\'' && text == "b":
		t := l.quoted('\'')
		return token{punct, t.text}
	case (c == '"' || c == '#') && (text == "r" || text == "br" || text == "cr"):
		return l.raw(text)
	}
	return token{word, text}
}

// raw takes a raw string after its prefix, or a raw identifier.
func (l *lexer) raw(prefix string) token {
	hashes := 0
	for l.pos+hashes < len(l.src) && l.src[l.pos+hashes] == '#' {
		hashes++
	}
	open := l.pos + hashes
	if open >= len(l.src) || l.src[open] != '"' {
		if hashes == 1 && open < len(l.src) && isWord(l.src[open]) {
			l.pos = open
			return l.word()
		}
		return token{word, prefix}
	}
	end := append([]byte{'"'}, bytes.Repeat([]byte{'#'}, hashes)...)
	n := bytes.Index(l.src[open+1:], end)
	if n < 0 {
		l.pos = len(l.src)
		return token{str, string(l.src[open+1:])}
	}
	l.pos = open + 1 + n + len(end)
	return token{str, string(l.src[open+1 : open+1+n])}
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
