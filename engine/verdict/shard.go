package verdict

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A root may be proved in shards: each follows a part of what the root can do.
// A Decision says of a run that, if it comes to a position, it goes to a block
// from there, or that it goes to another. Calls and rounds of loops are part of
// a position, so a run comes to each at most once: of a decision and its
// opposite one is true of it, and both are if it never comes there. So whatever
// is decided about, a shard and its other half cover what they are halves of.

// Decision is one step of the way that the runs of a shard take.
type Decision struct {
	At    string // position: func.inst~round~round of each call, outermost first, with / between
	Block int    // a block of the innermost function
	Takes bool   // whether a run that comes there goes to that block
}

// String is the form that ParseShard reads.
func (d Decision) String() string {
	if d.Takes {
		return d.At + "+" + strconv.Itoa(d.Block)
	}
	return d.At + "-" + strconv.Itoa(d.Block)
}

// Opposite is true of the runs that d is not true of.
func (d Decision) Opposite() Decision {
	d.Takes = !d.Takes
	return d
}

// maxDecisions bounds the decisions of a shard, maxShard the bytes that name it.
const (
	maxDecisions = 64
	maxShard     = 64 << 10
)

// number admits one way to write a number: two names of one position would be
// taken for two positions.
const (
	number = `(?:0|[1-9][0-9]{0,8})`
	step   = number + `\.` + number + `(?:~` + number + `)*`
)

// decisionForm is compiled when it is needed: most processes are given no shard.
var decisionForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(` + step + `(?:/` + step + `)*)([+-])(` + number + `)$`)
})

// ParseShard reads decisions with a comma between them; none if text is empty.
func ParseShard(text string) ([]Decision, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxShard {
		return nil, fmt.Errorf("read shard: %d bytes, limit is %d", len(text), maxShard)
	}
	parts := strings.Split(text, ",")
	if len(parts) > maxDecisions {
		return nil, fmt.Errorf("read shard: %d decisions, limit is %d", len(parts), maxDecisions)
	}
	out := make([]Decision, 0, len(parts))
	for _, p := range parts {
		m := decisionForm().FindStringSubmatch(p)
		if m == nil {
			return nil, fmt.Errorf("read shard: %.80q is no decision, want one like 0.3/2.17~4+9: the place of each call with the rounds of its loops, then + or - and a block", p)
		}
		block, err := strconv.Atoi(m[3])
		if err != nil {
			return nil, fmt.Errorf("read shard: %w", err)
		}
		d := Decision{m[1], block, m[2] == "+"}
		if slices.Contains(out, d) || slices.Contains(out, d.Opposite()) {
			return nil, fmt.Errorf("read shard: decides twice about %s", d)
		}
		out = append(out, d)
	}
	return out, nil
}

// FormatShard is the form that ParseShard reads.
func FormatShard(ds []Decision) string {
	parts := make([]string, len(ds))
	for i, d := range ds {
		parts[i] = d.String()
	}
	return strings.Join(parts, ",")
}

// Fits reports whether ParseShard reads what FormatShard makes of decisions: a
// frontier that names longer ones could not be followed.
func Fits(ds []Decision) bool {
	return len(ds) <= maxDecisions && len(FormatShard(ds)) <= maxShard
}

// Split divides the shard named of (the whole root, if empty) into at most n by
// the splits of a frontier. They cover what it covers. It is one alone if nothing divides it.
func Split(of string, frontier []string, n int) ([]string, error) {
	out := []string{of}
	for _, f := range frontier {
		if len(out) >= n {
			break
		}
		ds, err := ParseShard(f)
		if err != nil {
			return nil, err
		}
		if len(ds) == 0 {
			return nil, fmt.Errorf("split shard %q: a split without a decision", of)
		}
		last := len(ds) - 1
		i := slices.Index(out, FormatShard(ds[:last]))
		if i < 0 {
			return nil, fmt.Errorf("split shard %q: there is no %q to be split", of, FormatShard(ds[:last]))
		}
		other := slices.Clone(ds)
		other[last] = other[last].Opposite()
		out = slices.Replace(out, i, i+1, FormatShard(ds), FormatShard(other))
	}
	return out, nil
}
