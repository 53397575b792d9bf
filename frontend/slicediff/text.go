package slicediff

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
)

// key is what makes two definitions the same one.
type key struct {
	kind Kind
	name string
}

var (
	reference = regexp.MustCompile(`@[gef]\d+`)
	numbered  = regexp.MustCompile(`%\d+|\bb\d+\b`)
)

// unnumbered takes the numbers from registers and labels.
func unnumbered(text string) string {
	return numbered.ReplaceAllStringFunc(text, func(s string) string { return s[:1] })
}

// definitions returns the text of each definition with references by name. Of
// functions with one name the second is called "name #2".
func definitions(s Slice) map[key]string {
	items := split(s.Text)
	names := map[string]string{}
	for i, name := range s.Names {
		names["@f"+strconv.Itoa(i)] = "@" + name
	}
	for _, it := range items {
		switch it.kind {
		case Extern:
			names[it.id] = "@" + it.symbol()
		case Constant:
			names[it.id] = it.constant()
		}
	}
	out := map[key]string{}
	for _, it := range items {
		text := reference.ReplaceAllStringFunc(it.text, func(ref string) string {
			if name, ok := names[ref]; ok {
				return name
			}
			return ref
		})
		if it.kind == Constant && strings.Contains(it.text, " loc ") {
			continue // where a panic stands is not part of what is proved
		}
		k := key{it.kind, strings.TrimPrefix(names[it.id], "@")}
		for n := 2; ; n++ {
			if _, taken := out[k]; !taken {
				break
			}
			if it.kind == Constant { // equal constants are one
				break
			}
			k.name = fmt.Sprintf("%s #%d", strings.TrimPrefix(names[it.id], "@"), n)
		}
		out[k] = text
	}
	return out
}

// item is one definition.
type item struct {
	kind Kind
	id   string // "@f3"; "" for the inputs
	text string
}

var starts = []struct {
	prefix string
	kind   Kind
}{{"global ", Constant}, {"extern ", Extern}, {"func ", Function}, {"inputs ", Inputs}}

// split cuts canonical text into definitions: one begins at the start of a line
// and ends before the next or at an empty line.
func split(text string) []item {
	var items []item
	open := false
	for line := range strings.Lines(text) {
		if it, ok := begin(line); ok {
			items, open = append(items, it), true
			continue
		}
		open = open && strings.TrimSpace(line) != ""
		if open {
			items[len(items)-1].text += line
		}
	}
	return items
}

func begin(line string) (item, bool) {
	for _, s := range starts {
		if rest, ok := strings.CutPrefix(line, s.prefix); ok {
			id, _, _ := strings.Cut(rest, " ")
			if s.kind == Inputs {
				id = ""
			}
			return item{kind: s.kind, id: id, text: line}, true
		}
	}
	return item{}, false
}

// symbol is the name of an external function. One whose body the slice leaves out has its type only.
func (it *item) symbol() string {
	if _, sig, ok := strings.Cut(strings.TrimSpace(it.text), it.id+" omitted "); ok {
		return "left out: " + sig
	}
	_, rest, _ := strings.Cut(it.text, `"`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

// constant names a global by what it holds; it has no other name. What it
// points to is left out: that is compared by itself.
func (it *item) constant() string {
	_, def, _ := strings.Cut(strings.TrimSpace(it.text), it.id+" ")
	if strings.HasPrefix(def, "loc ") {
		return "@location"
	}
	def = reference.ReplaceAllString(def, "@")
	_, value, ok := strings.Cut(def, " = ")
	if !ok || len(value) > longestConstant {
		h := fnv.New32a()
		h.Write([]byte(def))
		value = fmt.Sprintf("constant %08x", h.Sum32())
	}
	return "@{" + value + "}"
}

const longestConstant = 40
