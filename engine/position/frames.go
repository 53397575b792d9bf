package position

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Frames holds, by "func:inst", the position of an instruction with the calls
// it was inlined through, innermost first. Its JSON form writes every file,
// name and place once: a slice has tens of thousands of instructions, and an
// inlined one repeats the frames of its neighbours.
type Frames map[string][]Pos

// table is the JSON form of Frames.
type table struct {
	Files  []string `json:"files"`
	Names  []string `json:"names"`  // of functions
	Places [][5]int `json:"places"` // file, line, column, name, 1 + place that it is inlined into or 0
	Insts  [][3]int `json:"insts"`  // function, instruction, place
}

// MarshalJSON writes the frames in order of function and instruction.
func (f Frames) MarshalJSON() ([]byte, error) {
	t := &tableWriter{files: map[string]int{}, names: map[string]int{}, places: map[[5]int]int{}}
	t.Files, t.Names, t.Places, t.Insts = []string{}, []string{}, [][5]int{}, [][3]int{}
	for key, frames := range f {
		fn, inst, err := split(key)
		if err != nil {
			return nil, err
		}
		if len(frames) > 0 {
			t.Insts = append(t.Insts, [3]int{fn, inst})
		}
	}
	slices.SortFunc(t.Insts, func(a, b [3]int) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	for i, in := range t.Insts {
		t.Insts[i][2] = t.place(f[key(in[0], in[1])])
	}
	return json.Marshal(&t.table)
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

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Frames) UnmarshalJSON(b []byte) error {
	var t table
	if err := json.Unmarshal(b, &t); err != nil {
		return err
	}
	chains := make([][]Pos, len(t.Places))
	for i, p := range t.Places {
		if p[0] < 0 || p[0] >= len(t.Files) || p[3] < 0 || p[3] >= len(t.Names) || p[4] < 0 || p[4] > i {
			return fmt.Errorf("place %d is %v", i, p)
		}
		chain := []Pos{{File: t.Files[p[0]], Line: p[1], Col: p[2], Func: t.Names[p[3]]}}
		if p[4] > 0 {
			chain = append(chain, chains[p[4]-1]...)
		}
		if len(chain) > maxFrames {
			return fmt.Errorf("place %d is inlined more than %d times", i, maxFrames)
		}
		chains[i] = chain
	}
	*f = Frames{}
	for _, in := range t.Insts {
		if in[2] < 0 || in[2] >= len(chains) {
			return fmt.Errorf("no place %d", in[2])
		}
		(*f)[key(in[0], in[1])] = chains[in[2]]
	}
	return nil
}

// maxFrames is the largest number of frames of one place.
const maxFrames = 256

func key(fn, inst int) string { return strconv.Itoa(fn) + ":" + strconv.Itoa(inst) }

func split(key string) (fn, inst int, err error) {
	a, b, _ := strings.Cut(key, ":")
	if fn, err = strconv.Atoi(a); err == nil {
		inst, err = strconv.Atoi(b)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("place %q is not func:inst: %w", key, err)
	}
	return fn, inst, nil
}
