package lrat

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// reader reads numbers that blanks and line ends separate.
type reader struct {
	r    *bufio.Reader
	line int
}

func newReader(r io.Reader) *reader { return &reader{bufio.NewReaderSize(r, 1<<16), 1} }

// next skips blanks and returns the byte after them.
func (r *reader) next() (byte, error) {
	for {
		b, err := r.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch b {
		case '\n':
			r.line++
		case ' ', '\t', '\r':
		default:
			return b, nil
		}
	}
}

var errNumber = errors.New("no number where one must be")

// number reads a number of at most 15 digits. At the end it returns io.EOF.
func (r *reader) number() (int64, error) {
	b, err := r.next()
	if err != nil {
		return 0, err
	}
	sign := int64(1)
	if b == '-' {
		sign = -1
		if b, err = r.r.ReadByte(); err != nil {
			return 0, errNumber
		}
	}
	n, digits := int64(0), 0
	for ; err == nil && b >= '0' && b <= '9' && digits < 16; b, err = r.r.ReadByte() {
		n = 10*n + int64(b-'0')
		digits++
	}
	blank := b == ' ' || b == '\n' || b == '\t' || b == '\r'
	if digits == 0 || digits == 16 || err == nil && !blank || err != nil && err != io.EOF {
		return 0, errNumber
	}
	if err == nil {
		r.r.UnreadByte()
	}
	return sign * n, nil
}

// deletes takes the d of a line that deletes clauses, if it is next.
func (r *reader) deletes() bool {
	b, err := r.next()
	if err != nil {
		return false
	}
	if b == 'd' {
		return true
	}
	r.r.UnreadByte()
	return false
}

// header reads comments and "p cnf VARIABLES CLAUSES".
func (r *reader) header() (vars, clauses int64, err error) {
	for {
		line, err := r.r.ReadSlice('\n')
		if err != nil {
			return 0, 0, errors.New("no header")
		}
		r.line++
		if line[0] == 'c' {
			continue
		}
		if _, err := fmt.Sscanf(string(line), "p cnf %d %d\n", &vars, &clauses); err != nil {
			return 0, 0, fmt.Errorf("header: %w", err)
		}
		return vars, clauses, nil
	}
}
