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
	Names  []string   // of functions
	Places [][5]int32 // file, line, column, name, 1 + place that it is inlined into or 0
	Insts  [][3]int32 // function, instruction, place; ascending
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
	var last [3]int32
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
	r := &reader{b: b}
	t := table{Files: r.strings(), Names: r.strings()}
	t.Places = make([][5]int32, r.count(5))
	for i := range t.Places {
		p := &t.Places[i]
		for k := range p {
			p[k] = r.number()
		}
		// A place stands after what it is inlined into, so every chain ends.
		if int(p[0]) >= len(t.Files) || int(p[3]) >= len(t.Names) || int(p[4]) > i {
			r.fail(fmt.Errorf("place %d is %v", i, *p))
		}
	}
	t.Insts = make([][3]int32, r.count(3))
	var fn, place int64
	for i := range t.Insts {
		step, inst := r.number(), r.number()
		fn, place = fn+int64(step), place+r.difference()
		switch {
		case fn > math.MaxInt32 || i > 0 && step == 0 && inst <= t.Insts[i-1][1]:
			r.fail(fmt.Errorf("instruction %d:%d is out of order", fn, inst))
		case place < 0 || place >= int64(len(t.Places)):
			r.fail(fmt.Errorf("no place %d", place))
		}
		t.Insts[i] = [3]int32{int32(fn), inst, int32(place)}
	}
	if r.err == nil && r.at < len(r.b) {
		r.fail(fmt.Errorf("%d bytes too many", len(r.b)-r.at))
	}
	return t, r.err
}

// reader takes numbers off b, from at on. After an error all that it reads is 0.
type reader struct {
	b   []byte
	at  int
	err error
}

var errCut = errors.New("cut off, or a number that is too large")

func (r *reader) fail(err error) {
	r.b, r.at, r.err = nil, 0, cmp.Or(r.err, err)
}

// number reads a number. Nearly all are one byte.
func (r *reader) number() int32 {
	if r.at < len(r.b) && r.b[r.at] < 0x80 {
		r.at++
		return int32(r.b[r.at-1])
	}
	return r.long()
}

func (r *reader) long() int32 {
	n, size := binary.Uvarint(r.b[r.at:])
	if size <= 0 || n > math.MaxInt32 {
		r.fail(errCut)
		return 0
	}
	r.at += size
	return int32(n)
}

func (r *reader) difference() int64 {
	n, size := binary.Varint(r.b[r.at:])
	if size <= 0 || n > math.MaxInt32 || n < math.MinInt32 {
		r.fail(errCut)
		return 0
	}
	r.at += size
	return n
}

// count reads how many things follow that take so many bytes each, at least.
func (r *reader) count(least int) int {
	n := int(r.number())
	if n > (len(r.b)-r.at)/least {
		r.fail(errCut)
		return 0
	}
	return n
}

func (r *reader) strings() []string {
	out := make([]string, r.count(1))
	for i := range out {
		n := r.count(1)
		out[i] = string(r.b[r.at : r.at+n])
		r.at += n
	}
	return out
}
