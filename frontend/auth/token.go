package auth

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
)

// minToken is how many bytes a token must have at least: who makes them up
// should not.
const minToken = 16

// tokens are names by the hashes of their tokens, so that looking one up takes
// as long however much of it is right.
type tokens map[[sha256.Size]byte]string

func readTokens(file string) (tokens, error) {
	if err := checkSecret(file); err != nil {
		return nil, err
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	ts := tokens{}
	n := 0
	for line := range strings.Lines(string(body)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		words := strings.Fields(line)
		if len(words) != 2 || len(words[1]) < minToken {
			return nil, fmt.Errorf("%s:%d: want a name and a token of at least %d bytes", file, n, minToken)
		}
		sum := sha256.Sum256([]byte(words[1]))
		if _, ok := ts[sum]; ok {
			return nil, fmt.Errorf("%s:%d: the token stands there twice", file, n)
		}
		ts[sum] = words[0]
	}
	return ts, nil
}

func (ts tokens) find(token string) (name string, ok bool) {
	name, ok = ts[sha256.Sum256([]byte(token))]
	return name, ok
}
