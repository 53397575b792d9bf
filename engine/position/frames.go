package position

import (
	"cmp"
	"slices"
	"sort"
)

// Inst is the position of an instruction with the calls it was inlined
// through, innermost first.
type Inst struct {
	Func, Inst int
	Frames     []Pos
}

// Frames holds the positions of instructions. Every file, name and place is
// held once: a slice has tens of thousands of instructions, and an inlined one
// repeats the frames of its neighbours. Most are never asked for, so the frames
// of one are put together when they are.
type Frames struct{ t table }

// NewFrames returns the Frames of insts, each of which is named once.
func NewFrames(insts []Inst) Frames {
	insts = slices.DeleteFunc(slices.Clone(insts), func(in Inst) bool { return len(in.Frames) == 0 })
	slices.SortFunc(insts, func(a, b Inst) int {
		return cmp.Or(cmp.Compare(a.Func, b.Func), cmp.Compare(a.Inst, b.Inst))
	})
	t := &tableWriter{files: map[string]int{}, names: map[string]int{}, places: map[[5]int]int{}}
	t.Files, t.Names, t.Places, t.Insts = []string{}, []string{}, [][5]int{}, [][3]int{}
	for _, in := range insts {
		t.Insts = append(t.Insts, [3]int{in.Func, in.Inst, t.place(in.Frames)})
	}
	return Frames{t.table}
}

type tableWriter struct {
	table
	files, names map[string]int
	places       map[[5]int]int
}

func intern(list *[]string, known map[string]int, s string) int {
	i, ok := known[s]
	if !ok {
		i = len(*list)
		known[s] = i
		*list = append(*list, s)
	}
	return i
}

// place returns the index of the innermost frame.
func (t *tableWriter) place(frames []Pos) int {
	parent := 0
	for _, pos := range slices.Backward(frames) {
		p := [5]int{intern(&t.Files, t.files, pos.File), pos.Line, pos.Col, intern(&t.Names, t.names, pos.Func), parent}
		i, ok := t.places[p]
		if !ok {
			i = len(t.Places)
			t.places[p] = i
			t.Places = append(t.Places, p)
		}
		parent = i + 1
	}
	return parent - 1
}

// at returns the frames of an instruction, nil if unknown.
func (f *Frames) at(fn, inst int) []Pos {
	i, ok := sort.Find(len(f.t.Insts), func(i int) int {
		in := f.t.Insts[i]
		return cmp.Or(cmp.Compare(fn, in[0]), cmp.Compare(inst, in[1]))
	})
	if !ok {
		return nil
	}
	var out []Pos
	for at := f.t.Insts[i][2] + 1; at > 0; {
		p := f.t.Places[at-1]
		out = append(out, Pos{File: f.t.Files[p[0]], Line: p[1], Col: p[2], Func: f.t.Names[p[3]]})
		at = p[4]
	}
	return out
}
