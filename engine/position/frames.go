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
	w := NewFramesWriter()
	for _, in := range insts {
		at := 0
		for _, pos := range slices.Backward(in.Frames) {
			at = w.Place(pos, at)
		}
		w.Add(in.Func, in.Inst, at)
	}
	return w.Frames()
}

// FramesWriter gathers Frames where instructions come in order, and who adds them knows which places are the same.
type FramesWriter struct {
	table
	files, names map[string]int32
	places       map[[5]int32]int32
}

// NewFramesWriter returns one that has nothing yet.
func NewFramesWriter() *FramesWriter {
	t := table{Files: []string{}, Names: []string{}, Places: [][5]int32{}, Insts: [][3]int32{}}
	return &FramesWriter{t, map[string]int32{}, map[string]int32{}, map[[5]int32]int32{}}
}

func intern(list *[]string, known map[string]int32, s string) int32 {
	i, ok := known[s]
	if !ok {
		i = int32(len(*list))
		known[s] = i
		*list = append(*list, s)
	}
	return i
}

// Place returns the number of a place, which is inlined into that of number parent: 0 for none. Numbers begin with 1.
func (w *FramesWriter) Place(pos Pos, parent int) int {
	p := [5]int32{intern(&w.table.Files, w.files, pos.File), int32(pos.Line), int32(pos.Col), intern(&w.Names, w.names, pos.Func), int32(parent)}
	i, ok := w.places[p]
	if !ok {
		i = int32(len(w.Places))
		w.places[p] = i
		w.Places = append(w.Places, p)
	}
	return int(i) + 1
}

// Add notes the place of an instruction, which comes after those that were added.
func (w *FramesWriter) Add(fn, inst, place int) {
	w.Insts = append(w.Insts, [3]int32{int32(fn), int32(inst), int32(place - 1)})
}

// Frames are what was gathered.
func (w *FramesWriter) Frames() Frames { return Frames{w.table} }

// at returns the frames of an instruction, nil if unknown.
func (f *Frames) at(fn, inst int) []Pos {
	i, ok := sort.Find(len(f.t.Insts), func(i int) int {
		in := f.t.Insts[i]
		return cmp.Or(cmp.Compare(fn, int(in[0])), cmp.Compare(inst, int(in[1])))
	})
	if !ok {
		return nil
	}
	var out []Pos
	for at := f.t.Insts[i][2] + 1; at > 0; {
		p := f.t.Places[at-1]
		out = append(out, Pos{File: f.t.Files[p[0]], Line: int(p[1]), Col: int(p[2]), Func: f.t.Names[p[3]]})
		at = p[4]
	}
	return out
}
