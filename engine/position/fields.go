package position

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Field names what lies behind a parameter of the root, as the source has it:
// the engine knows bytes only.
type Field struct {
	Param int `json:"p"`
	// At are the offsets of the pointers that lead from the parameter's object to
	// the one that holds the field, in bytes; none if the parameter's does.
	At   []int64 `json:"at,omitempty"`
	Off  int64   `json:"o,omitempty"` // in that object, in bytes
	Size int64   `json:"s"`
	// Stride is, of what an array holds, the bytes from one element to the next; Count is the
	// number of elements, 0 if any. Name has [] where the index goes.
	Stride int64  `json:"stride,omitempty"`
	Count  int64  `json:"n,omitempty"`
	Signed bool   `json:"signed,omitempty"` // it is a number with a sign
	Name   string `json:"name"`
}

// index is the element that holds byte off, if f does.
func (f *Field) index(off int64) (int64, bool) {
	off -= f.Off
	if f.Stride == 0 {
		return 0, off >= 0 && off < f.Size
	}
	i := off / f.Stride
	return i, off >= 0 && off%f.Stride < f.Size && (f.Count == 0 || i < f.Count)
}

func (f *Field) name(index string) string { return strings.Replace(f.Name, "[]", "["+index+"]", 1) }

// Value is an input of a witness: its name as the engine has it, and an unsigned number of so many bits.
type Value struct {
	Name, Value string
	Bits        int
}

// Values says what a witness consists of in the words of the source: bytes become the
// field that they make up, little-endian, and a pointer that is not null is not told, nor what a null pointer leads to. The order stays.
func (m *Map) Values(in []Value) []string {
	v := values{m: m, parts: map[part][]byteOf{}, null: map[string]bool{}}
	for _, x := range in {
		v.add(x)
	}
	return v.lines()
}

// rooted is the name of an input of an automatic root.
var rooted = regexp.MustCompile(`^arg(\d+)((?:\.data\[\d+\])*)(|\.null|\.size|\.count|\.page)$`)

// part is a field, of one element if it is in an array.
type part struct {
	field *Field
	index int64
}

type byteOf struct {
	off   int64
	value string
}

// values gathers what is told, in order: lines, and the parts whose first byte comes there.
type values struct {
	m     *Map
	parts map[part][]byteOf
	null  map[string]bool // pointers that lead nowhere, by name
	out   []told
}

type told struct {
	line string // if part is of no field
	part
}

func (v *values) add(x Value) {
	match := rooted.FindStringSubmatch(x.Name)
	if match == nil {
		v.say(v.m.Input(x.Name) + " = " + x.Value)
		return
	}
	param, _ := strconv.Atoi(match[1])
	if match[2] == "" && match[3] == "" {
		number := x.Value
		if n, ok := new(big.Int).SetString(x.Value, 10); ok && slices.Contains(v.m.Signed, param) {
			number = withSign(n, x.Bits)
		}
		v.say(v.m.Input(x.Name) + " = " + number)
		return
	}
	path := offsets(match[2])
	if match[3] != "" {
		v.pointer(x, param, path, match[3])
		return
	}
	last := len(path) - 1
	f, i := v.m.field(param, path[:last], path[last])
	if f == nil {
		v.say(v.m.Input(x.Name) + " = " + x.Value)
		return
	}
	p := part{f, i}
	if v.parts[p] == nil {
		v.out = append(v.out, told{part: p})
	}
	v.parts[p] = append(v.parts[p], byteOf{path[last] - f.Off - i*f.Stride, x.Value})
}

func (v *values) say(line string) { v.out = append(v.out, told{line: line}) }

// pointer tells of a pointer itself: the parameter, or what lies at the end of path.
func (v *values) pointer(x Value, param int, path []int64, what string) {
	name := v.m.Input(fmt.Sprintf("arg%d", param))
	if last := len(path) - 1; last >= 0 {
		f, i := v.m.field(param, path[:last], path[last])
		if f == nil {
			v.say(v.m.Input(x.Name) + " = " + x.Value)
			return
		}
		name = f.name(strconv.FormatInt(i, 10))
	}
	switch {
	case what == ".null" && x.Value == "0" || v.null[name]:
	case what == ".null":
		v.null[name] = true
		v.say(name + " = null")
	case what == ".size":
		v.say(fmt.Sprintf("*%s: %s bytes", name, x.Value))
	case what == ".page":
		v.say(fmt.Sprintf("*%s: at %s of a page", name, x.Value))
	default:
		v.say(fmt.Sprintf("%s: %s elements", name, x.Value))
	}
}

// number is what a part holds, if the witness has all its bytes: the others are as they may be.
func (v *values) number(p part) (string, bool) {
	all := new(big.Int)
	for _, b := range v.parts[p] {
		n, ok := new(big.Int).SetString(b.value, 10)
		if !ok {
			return "", false
		}
		all.Or(all, n.Lsh(n, uint(8*b.off)))
	}
	whole := int64(len(v.parts[p])) == p.field.Size
	if p.field.Signed {
		return withSign(all, int(8*p.field.Size)), whole
	}
	return all.String(), whole
}

// withSign reads so many bits as two's complement.
func withSign(n *big.Int, bits int) string {
	if bits > 0 && n.Bit(bits-1) == 1 {
		n = new(big.Int).Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(bits)))
	}
	return n.String()
}

// bytes tells of a part byte by byte.
func (v *values) bytes(p part) []string {
	var out []string
	for _, b := range v.parts[p] {
		out = append(out, fmt.Sprintf("byte %d of %s = %s", b.off, p.field.name(strconv.FormatInt(p.index, 10)), b.value))
	}
	return out
}

// run counts the elements of one field that follow one another from out[at] on, and gives their numbers.
func (v *values) run(at int) []string {
	var numbers []string
	first := v.out[at].part
	for i, t := range v.out[at:] {
		if t.field != first.field || t.index != first.index+int64(i) {
			break
		}
		n, whole := v.number(t.part)
		if !whole {
			break
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func (v *values) lines() []string {
	var out []string
	for at := 0; at < len(v.out); at++ {
		t := v.out[at]
		if t.field == nil {
			out = append(out, t.line)
			continue
		}
		switch run := v.run(at); len(run) {
		case 0:
			out = append(out, v.bytes(t.part)...)
		case 1:
			out = append(out, t.field.name(strconv.FormatInt(t.index, 10))+" = "+run[0])
		default:
			at += len(run) - 1
			out = append(out, t.field.name(fmt.Sprintf("%d..%d", t.index, t.index+int64(len(run))))+" = ["+list(run)+"]")
		}
	}
	return out
}

// maxList bounds the elements of an array that are told.
const maxList = 16

func list(numbers []string) string {
	if more := len(numbers) - maxList; more > 0 {
		return strings.Join(numbers[:maxList], ", ") + fmt.Sprintf(", and %d more", more)
	}
	return strings.Join(numbers, ", ")
}

// field finds what lies at an offset of the object that path leads to; nil if nobody knows.
func (m *Map) field(param int, path []int64, off int64) (*Field, int64) {
	for i := range m.Fields {
		f := &m.Fields[i]
		if f.Param != param || !slices.Equal(f.At, path) {
			continue
		}
		if at, ok := f.index(off); ok {
			return f, at
		}
	}
	return nil, 0
}

var bracketed = regexp.MustCompile(`\d+`)

func offsets(path string) []int64 {
	var out []int64
	for _, n := range bracketed.FindAllString(path, -1) {
		off, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			off = -1 // lies nowhere
		}
		out = append(out, off)
	}
	return out
}
