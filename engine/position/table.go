package position

import (
	"encoding/json"
	"fmt"
)

// readTable reads the JSON form of a table. The numbers are nearly all of it, and
// a submit reads thousands of tables: encoding/json takes four times as long for them.
func readTable(b []byte) (table, error) {
	var raw struct {
		Files, Names  []string
		Places, Insts json.RawMessage
	}
	var t table
	if err := json.Unmarshal(b, &raw); err != nil {
		return t, err
	}
	t.Files, t.Names = raw.Files, raw.Names
	if given(raw.Places) {
		t.Places = [][5]int{}
	}
	if given(raw.Insts) {
		t.Insts = [][3]int{}
	}
	err := rows(raw.Places, 5, func(n []int) { t.Places = append(t.Places, [5]int(n)) })
	if err != nil {
		return t, fmt.Errorf("places: %w", err)
	}
	if err := rows(raw.Insts, 3, func(n []int) { t.Insts = append(t.Insts, [3]int(n)) }); err != nil {
		return t, fmt.Errorf("instructions: %w", err)
	}
	return t, nil
}

func given(b []byte) bool { return len(b) > 0 && string(b) != "null" }

// rows calls add with each row of a list of rows of so many whole numbers. b is
// JSON; it may be null or nothing.
func rows(b []byte, width int, add func([]int)) error {
	if !given(b) {
		return nil
	}
	row := make([]int, 0, width)
	depth, negative, n := 0, false, -1
	number := func() error {
		if n < 0 {
			return nil
		}
		if len(row) == width || depth != 2 {
			return fmt.Errorf("want rows of %d numbers", width)
		}
		if negative {
			n = -n
		}
		row, n, negative = append(row, n), -1, false
		return nil
	}
	for _, c := range b {
		switch c {
		case '[':
			depth++
			row = row[:0]
		case ']', ',':
			if err := number(); err != nil {
				return err
			}
			if c == ',' {
				continue
			}
			if depth == 2 && len(row) != width {
				return fmt.Errorf("row of %d numbers, want %d", len(row), width)
			}
			if depth == 2 {
				add(row)
				row = row[:0]
			}
			depth--
		case '-':
			negative = true
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if n = max(n, 0)*10 + int(c-'0'); n > 1<<40 {
				return fmt.Errorf("number of more than 1<<40")
			}
		case ' ', '\t', '\r', '\n':
		default:
			return fmt.Errorf("%q among whole numbers", c)
		}
	}
	return nil
}
