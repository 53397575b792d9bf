package rust

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Lack is a check that a kernel cannot compile, since it lacks what the check is about.
type Lack struct {
	Check string
	Why   string // in rustc's words
}

var (
	rustcError = regexp.MustCompile(`^error(?:\[E\d+\])?: (.*)`)
	rustcPlace = regexp.MustCompile(`^ *--> (.*):(\d+):\d+$`)
	checkItem  = regexp.MustCompile(`^pub (?:unsafe )?extern "C" fn (check_\w+)\(`)
)

// Narrow leaves out of the file of a crate's checks, src, those that rustc's errors
// lie in, and returns what remains, each line where it was. If an error lies
// outside of them all, nothing remains: nil. It expects files as rustfmt leaves them. No lacks
// at all mean that the failure is none of the crate's.
func Narrow(name string, src []byte, stderr string) ([]byte, []Lack) {
	lines := bytes.SplitAfter(src, []byte("\n"))
	items := checkItems(lines)
	why := map[string]string{}
	for _, e := range rustcErrors(stderr) {
		if !strings.Contains(e.file, "/checks/"+name+"/") {
			return src, nil // a crate that it needs does not compile
		}
		it := itemAt(items, e.line)
		if it == nil || !strings.HasSuffix(e.file, "/lib.rs") {
			return nil, everywhere(items, fmt.Sprintf("%s (line %d)", e.text, e.line))
		}
		if why[it.check] == "" {
			why[it.check] = fmt.Sprintf("%s (line %d)", e.text, e.line)
		}
	}
	var lacks []Lack
	for _, it := range items {
		if why[it.check] == "" {
			continue
		}
		lacks = append(lacks, Lack{it.check, why[it.check]})
		for i := it.from; i < it.to; i++ {
			lines[i] = []byte("\n")
		}
	}
	if len(lacks) == len(items) {
		return nil, lacks
	}
	return bytes.Join(lines, nil), lacks
}

// item is a check with its attributes and comments: lines of a file, counted from 0.
type item struct {
	check    string
	from, to int
}

func checkItems(lines [][]byte) []item {
	var items []item
	start := -1 // of the comments and attributes that are open
	for i := 0; i < len(lines); i++ {
		m := checkItem.FindSubmatch(lines[i])
		switch {
		case bytes.HasPrefix(lines[i], []byte("///")) || bytes.HasPrefix(lines[i], []byte("#[")):
			if start < 0 {
				start = i
			}
			continue
		case m != nil:
			it := item{string(m[1]), i, i + 1}
			if start >= 0 {
				it.from = start
			}
			for it.to < len(lines) && !bytes.HasPrefix(lines[it.to-1], []byte("}")) {
				it.to++
			}
			items = append(items, it)
			i = it.to - 1
		}
		start = -1
	}
	return items
}

// itemAt is the item that a line, counted from 1, is of.
func itemAt(items []item, line int) *item {
	for i := range items {
		if items[i].from < line && line <= items[i].to {
			return &items[i]
		}
	}
	return nil
}

func everywhere(items []item, why string) []Lack {
	var lacks []Lack
	for _, it := range items {
		lacks = append(lacks, Lack{it.check, why})
	}
	return lacks
}

// rustcFault is one error: its first line, and the first place that it names.
type rustcFault struct {
	text, file string
	line       int
}

// rustcErrors reads what rustc prints for people. Errors without a place sum up the others.
func rustcErrors(stderr string) []rustcFault {
	var faults []rustcFault
	text := ""
	for line := range strings.Lines(stderr) {
		line = strings.TrimRight(line, "\n")
		if m := rustcError.FindStringSubmatch(line); m != nil {
			text = strings.TrimSuffix(m[1], " in the current scope")
		} else if m := rustcPlace.FindStringSubmatch(line); m != nil && text != "" {
			at, _ := strconv.Atoi(m[2])
			faults = append(faults, rustcFault{text, m[1], at})
			text = ""
		}
	}
	return faults
}
