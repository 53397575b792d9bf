package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// table is what a run has measured.
type table struct {
	targets []*target
	lines   []*line
}

func (t *table) print(w io.Writer) {
	fmt.Fprintln(w, "Medians of the rounds; in parentheses, how many times better ours is (median of the rounds' ratios).")
	t.columns(w, "ours beside the best\tgoal", func(l *line, f *target) string {
		return fmt.Sprintf("%s%s%s", number(l.median(f)), l.times(t.targets[0], f, l.value), l.mark(f))
	}, func(l *line) string { return t.besideBest(l) + "\t" + l.goal })
	if slices.ContainsFunc(t.lines, func(l *line) bool { return l.writes }) {
		fmt.Fprintln(w, unflushed+" What it acknowledged is not on disk: a power failure loses it.")
	}
	fmt.Fprintln(w, "\nThe server's processor time per operation, in microseconds; in parentheses, how many times less ours takes.")
	t.columns(w, "", func(l *line, f *target) string {
		return fmt.Sprintf("%s%s", number(medianOf(each(l.measured(f), cpuOf))), l.times(t.targets[0], f, func(x *turn) (float64, bool) { return cpuOf(x), true }))
	}, func(*line) string { return "" })
	t.failures(w)
}

// unflushed stands beside figures of who is quicker for not waiting for a disk.
const unflushed = "*"

func (l *line) mark(f *target) string {
	if l.writes && !f.flushes {
		return unflushed
	}
	return ""
}

// besideBest is ours beside the best of others, and beside the best of those who
// do not flush either, or do as we do.
func (t *table) besideBest(l *line) string {
	us, others := t.targets[0], t.targets[1:]
	best := l.best(others)
	if best == nil {
		return ""
	}
	text := fmt.Sprintf("%.2fx", l.ratio(us, best, l.value))
	if l.mark(best) == l.mark(us) {
		return text
	}
	alike := l.best(slices.DeleteFunc(slices.Clone(others), func(f *target) bool { return l.mark(f) != l.mark(us) }))
	if alike == nil {
		return text + " (nobody is alike)"
	}
	return fmt.Sprintf("%s (%.2fx alike)", text, l.ratio(us, alike, l.value))
}

// columns prints a cell for each row and farm, and what stands at the end of a row.
func (t *table) columns(w io.Writer, last string, cell func(*line, *target) string, end func(*line) string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "row\tunit")
	for _, f := range t.targets {
		fmt.Fprint(tw, "\t", f.name)
	}
	fmt.Fprint(tw, "\t", last, "\n")
	for _, l := range t.lines {
		fmt.Fprintf(tw, "%s\t%s", l.name, l.unit)
		for _, f := range t.targets {
			text := "-"
			if len(l.measured(f)) > 0 {
				text = cell(l, f)
			} else if l.failed[f] != nil {
				text = "failed"
			}
			fmt.Fprint(tw, "\t", text)
		}
		fmt.Fprint(tw, "\t", end(l), "\n")
	}
	_ = tw.Flush() // to standard output
}

// failures says what the word in the cells stands for.
func (t *table) failures(w io.Writer) {
	for _, l := range t.lines {
		for _, f := range t.targets {
			if err := l.failed[f]; err != nil {
				fmt.Fprintf(w, "%s failed at %q: %.500s\n", f.name, l.name, err.Error())
			}
		}
	}
}

// value is the row's figure of a turn, and whether less of it is better.
func (l *line) value(t *turn) (float64, bool) { return l.figure.of(l.row, t), l.figure.less }

func (l *line) median(f *target) float64 {
	return medianOf(each(l.measured(f), func(t *turn) float64 { return l.figure.of(l.row, t) }))
}

// cpuOf is what an operation costs the server, in microseconds.
func cpuOf(t *turn) float64 { return float64(t.cpu.Microseconds()) / float64(t.ops) }

// ratio is how many times better a is than b, round by round.
func (l *line) ratio(a, b *target, value func(*turn) (float64, bool)) float64 {
	var ratios []float64
	for i, t := range l.measured(a) {
		x, less := value(t)
		y, _ := value(l.turns[b][i])
		if less {
			x, y = y, x
		}
		if y > 0 {
			ratios = append(ratios, x/y)
		}
	}
	return medianOf(ratios)
}

// times is the ratio of ours to another's, for a cell.
func (l *line) times(us, other *target, value func(*turn) (float64, bool)) string {
	if us == other || len(l.measured(us)) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%.2fx)", l.ratio(us, other, value))
}

// best returns who is best at a row, nil if nobody does it.
func (l *line) best(others []*target) (best *target) {
	for _, f := range others {
		if len(l.measured(f)) == 0 {
			continue
		}
		if best == nil || l.figure.less == (l.median(f) < l.median(best)) {
			best = f
		}
	}
	return best
}

func each(turns []*turn, of func(*turn) float64) []float64 {
	out := make([]float64, len(turns))
	for i, t := range turns {
		out[i] = of(t)
	}
	return out
}

func medianOf(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
