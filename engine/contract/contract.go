// Package contract holds what is said of the kernel's C functions: what a call
// of one may change, whom it may call back, what it may return. The executor
// makes of a contract all that it allows; the interpreter does one thing that it
// allows. README.md says how to add one.
package contract

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

// Effect is what a call does besides returning.
type Effect uint8

// Effects. All but Model leave out that C's own preconditions are checked.
const (
	Model   Effect = iota // written in Go, in the executor and in the interpreter
	Quiet                 // changes nothing that Rust looks at, and calls no Rust
	Keeps                 // Quiet, but C remembers its arguments, and may change later what they lead to
	Fills                 // writes any bytes to what an argument points to
	Gives                 // the same, and the bytes are inputs of the run: somebody else may choose any
	Changes               // may change all memory that C can reach
	Calls                 // Changes, and may call each function whose address it can have
)

// Result is what a call returns.
type Result uint8

// Results.
const (
	Void   Result = iota
	Any           // any value of the type; which ones there are is not known
	Some          // the same, but never 0
	Input         // any value, and each may come: an input of the run
	Errno         // 0, or minus a number up to 4095
	Status        // 0 if the call did what it is for, else any other number
	Bool          // 0 or 1
	Arg           // argument N
	AtMost        // any number up to argument N
)

// Contract is what is known of one function.
type Contract struct {
	Symbol string // one that ends in * stands for all that begin so
	Effect Effect
	Blind  bool // of Model: it does not look at what its arguments lead to
	Buffer int  // of Fills and Gives: the argument that points to the bytes
	Size   int  // how many there are, or the argument that says it if SizeIn
	SizeIn bool
	Result Result
	N      int    // of Arg and AtMost
	Why    string // the contract, and where Linux states it
}

//go:embed contracts.txt
var text string

// lines holds the line of each symbol, and families those whose symbol ends in *. A line
// is read when it is asked for: a slice names few of these functions.
var lines, families = index(text)

// Of returns the contract of a function.
func Of(symbol string) (Contract, bool) {
	line, ok := lines[symbol]
	for i := 0; !ok && i < len(families); i++ {
		family, _, _ := strings.Cut(families[i], "*")
		line, ok = families[i], strings.HasPrefix(symbol, family)
	}
	if !ok {
		return Contract{}, false
	}
	c, err := contractOf(strings.Fields(line))
	if err != nil {
		panic(err) // the table is part of the program, and tested
	}
	c.Symbol = symbol
	return c, true
}

// Looks reports whether what a call does may hang on the memory that its arguments lead to. If not, a contract
// allows the same whatever lies there, even if the C function reads it.
func (c Contract) Looks() bool {
	switch c.Effect {
	case Quiet, Keeps, Changes, Calls:
		return false
	case Model:
		return !c.Blind
	}
	return true
}

// All returns every contract, in the order of the table.
func All() []Contract {
	all, err := parse(text)
	if err != nil {
		panic(err)
	}
	return all
}

// Restless reports whether a variable of C may change at any time, and may well
// be all zero: a tracepoint, which somebody may switch on, and which is off as a rule.
func Restless(symbol string) bool { return strings.HasPrefix(symbol, "__tracepoint_") }

func index(text string) (one map[string]string, many []string) {
	one = make(map[string]string, 512)
	for line := range strings.SplitSeq(text, "\n") {
		symbol, _, _ := strings.Cut(line, " ")
		switch {
		case symbol == "" || symbol == "#":
		case strings.HasSuffix(symbol, "*"):
			many = append(many, line)
		default:
			one[symbol] = line
		}
	}
	return one, many
}

func parse(text string) ([]Contract, error) {
	var out []Contract
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		c, err := contractOf(words)
		if err != nil {
			return nil, fmt.Errorf("contracts.txt:%d: %w", i+1, err)
		}
		out = append(out, c)
	}
	return out, nil
}

var effects = map[string]Effect{"model": Model, "blind": Model, "quiet": Quiet, "keeps": Keeps, "fills": Fills, "gives": Gives, "changes": Changes, "calls": Calls}

var results = map[string]Result{"-": Void, "void": Void, "any": Any, "some": Some, "input": Input, "errno": Errno, "status": Status, "bool": Bool, "arg": Arg, "atmost": AtMost}

func contractOf(words []string) (Contract, error) {
	r := reader{words: words}
	c := Contract{Symbol: r.word()}
	c.Blind = r.peek() == "blind"
	c.Effect = lookup(&r, effects, "effect")
	if c.Effect == Fills || c.Effect == Gives {
		c.Buffer = r.number()
		if r.peek()[:1] == "#" {
			r.words[0], c.SizeIn = r.words[0][1:], true
		}
		c.Size = r.number()
	}
	c.Result = lookup(&r, results, "result")
	if c.Result == Arg || c.Result == AtMost {
		c.N = r.number()
	}
	c.Why = strings.Join(r.words, " ")
	if r.err == nil && c.Why == "" {
		r.err = fmt.Errorf("contract of %s does not say why", c.Symbol)
	}
	return c, r.err
}

// reader takes words from a line; the first mistake stays.
type reader struct {
	words []string
	err   error
}

func (r *reader) peek() string {
	if len(r.words) == 0 {
		return " "
	}
	return r.words[0]
}

func (r *reader) word() string {
	w := r.peek()
	if len(r.words) > 0 {
		r.words = r.words[1:]
	}
	return w
}

func (r *reader) number() int {
	w := r.word()
	n, err := strconv.Atoi(w)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%q is no number", w)
	}
	return n
}

func lookup[T any](r *reader, words map[string]T, what string) T {
	w := r.word()
	v, ok := words[w]
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%q is no %s", w, what)
	}
	return v
}
