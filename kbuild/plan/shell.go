package plan

import (
	"fmt"
	"strings"
)

// splitWords splits the first simple command of a shell line into words, as
// the shell would: quotes are taken off, a semicolon or a pipe ends it. What
// kbuild never writes (expansions, here-documents) is an error.
func splitWords(line string) ([]string, error) {
	var words []string
	w, open := strings.Builder{}, false
	end := func() {
		if open {
			words = append(words, w.String())
		}
		w.Reset()
		open = false
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t':
			end()
		case ';', '|':
			end()
			return words, nil
		case '\'', '"':
			n, err := quoted(&w, line[i:])
			if err != nil {
				return nil, err
			}
			i += n - 1
			open = true
		case '\\':
			i++
			if i == len(line) {
				return nil, fmt.Errorf("split %q: ends in a backslash", line)
			}
			w.WriteByte(line[i])
			open = true
		case '$', '`', '<', '&', '(':
			return nil, fmt.Errorf("split %q: %q is more shell than a command line needs", line, c)
		default:
			w.WriteByte(c)
			open = true
		}
	}
	end()
	return words, nil
}

// quoted writes what stands between the quotes that s starts with, and returns
// the length of it with its quotes.
func quoted(w *strings.Builder, s string) (int, error) {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return i + 1, nil
		case s[0] == '"' && s[i] == '\\' && i+1 < len(s):
			i++
			if !strings.ContainsRune("$`\"\\", rune(s[i])) {
				w.WriteByte('\\')
			}
			w.WriteByte(s[i])
		case s[0] == '"' && strings.ContainsRune("$`", rune(s[i])):
			return 0, fmt.Errorf("split %q: expansion in double quotes", s)
		default:
			w.WriteByte(s[i])
		}
	}
	return 0, fmt.Errorf("split %q: quote is not closed", s)
}

// quoteWord is the inverse of splitting, for one word.
func quoteWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+./,:@%") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
