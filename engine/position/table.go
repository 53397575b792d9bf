package position

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// table is what Frames hold. Its binary form is what follows the first line of a
// Map: files and names, each a count and then so many strings, a length before
// each; a count of places and five numbers each; a count of instructions and
// three numbers each, the function less that of the one before, the instruction,
// the place less that of the one before. A number is a varint of encoding/binary,
// signed where it is a difference. A submit reads thousands of tables of
// thousands of numbers: as JSON they took half its time when nothing was new.
type table struct {
	Files  []string
	Names  []string // of functions
	Places [][5]int // file, line, column, name, 1 + place that it is inlined into or 0
	Insts  [][3]int // function, instruction, place; ascending
}

func (t *table) append(b []byte) []byte {
	for _, list := range [][]string{t.Files, t.Names} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, s := range list {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(t.Places)))
	for _, p := range t.Places {
		for _, n := range p {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(t.Insts)))
	var last [3]int
	for _, in := range t.Insts {
		b = binary.AppendUvarint(b, uint64(in[0]-last[0]))
		b = binary.AppendUvarint(b, uint64(in[1]))
		b = binary.AppendVarint(b, int64(in[2]-last[2]))
		last = in
	}
	return b
}

// readTable reads what append writes, and nothing else. An error says what is wrong with it.
func readTable(b []byte) (table, error) {
	r := &reader{rest: b}
	t := table{Files: r.strings(), Names: r.strings()}
	t.Places = make([][5]int, r.count(5))
	for i := range t.Places {
		for k := range t.Places[i] {
			t.Places[i][k] = r.number()
		}
	}
	t.Insts = make([][3]int, r.count(3))
	var last [3]int
	for i := range t.Insts {
		t.Insts[i] = [3]int{last[0] + r.number(), r.number(), last[2] + r.difference()}
		last = t.Insts[i]
	}
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes too many", len(r.rest))
	}
	if r.err == nil {
		r.err = t.check()
	}
	return t, r.err
}

// check reports what could not be looked up.
func (t *table) check() error {
	for i, p := range t.Places {
		// A place stands after what it is inlined into, so every chain ends.
		if p[0] >= len(t.Files) || p[3] >= len(t.Names) || p[4] > i {
			return fmt.Errorf("place %d is %v", i, p)
		}
	}
	for i, in := range t.Insts {
		if in[2] < 0 || in[2] >= len(t.Places) {
			return fmt.Errorf("no place %d", in[2])
		}
		if i > 0 && cmp.Or(cmp.Compare(t.Insts[i-1][0], in[0]), cmp.Compare(t.Insts[i-1][1], in[1])) >= 0 {
			return fmt.Errorf("instruction %d:%d is out of order", in[0], in[1])
		}
	}
	return nil
}

// reader takes numbers off rest. After an error all that it reads is 0.
type reader struct {
	rest []byte
	err  error
}

var errCut = errors.New("cut off, or a number that is too large")

func (r *reader) number() int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > math.MaxInt32 {
		r.rest, r.err = nil, cmp.Or(r.err, errCut)
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

func (r *reader) difference() int {
	n, size := binary.Varint(r.rest)
	if size <= 0 || n > math.MaxInt32 || n < math.MinInt32 {
		r.rest, r.err = nil, cmp.Or(r.err, errCut)
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

// count reads how many things follow that take so many bytes each, at least.
func (r *reader) count(least int) int {
	n := r.number()
	if n > len(r.rest)/least {
		r.rest, r.err = nil, cmp.Or(r.err, errCut)
		return 0
	}
	return n
}

func (r *reader) strings() []string {
	out := make([]string, r.count(1))
	for i := range out {
		n := r.count(1)
		out[i], r.rest = string(r.rest[:n]), r.rest[n:]
	}
	return out
}
