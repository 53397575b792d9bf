package source

import (
	"path"
	"slices"
	"strings"
)

// File is what a Rust source file says about the files around it and about the
// kernel's options.
type File struct {
	Modules  []Module // modules that have a file of their own
	Included []string // paths of include!, include_str! and include_bytes! with a literal argument
	Options  []string // CONFIG_ names it mentions
	Strings  []string // string literals that look like the path of a Rust file, which a build may generate
	Exported []string // those of Options that occur in its macros, which may be expanded in other crates
	Macros   []string // those of Strings that do
}

// Module is a "mod name;".
type Module struct {
	Name   string
	Path   string   // the value of its path attribute, or empty
	Parent []string // the inline modules around it, outermost first
}

// ParseRust reads a Rust file as far as File goes. It looks at tokens, not at
// the language: what is configured away counts too, so its answer may name too
// much. It names too little only where a macro makes up a module; then rustc
// finds no file, and says so.
func ParseRust(src []byte) *File {
	p := &rustParser{lex: lexer{src: src}, file: &File{}}
	p.run()
	return p.file
}

type rustParser struct {
	lex      lexer
	file     *File
	depth    int      // of curly braces
	inline   []string // names of the inline modules that are open
	opened   []int    // their depths
	pathAttr string   // of the item that follows
	macro    int      // depth at which a macro_rules body began, 0 outside
}

func (p *rustParser) run() {
	for t := p.lex.next(); t.kind != eof; t = p.lex.next() {
		p.options(t)
		p.generated(t)
		switch {
		case t.text == "#":
			p.attribute()
		case t.text == "mod" && t.kind == word:
			p.module()
		case t.kind == word && strings.HasPrefix(t.text, "include"):
			p.include()
		case t.kind == word && t.text == "macro_rules" && p.macro == 0:
			p.macro = p.depth + 1
		case t.text == "{":
			p.depth++
		case t.text == "}":
			p.close()
		case t.text == ";":
			p.pathAttr = ""
		}
	}
}

func (p *rustParser) close() {
	if n := len(p.opened); n > 0 && p.opened[n-1] == p.depth {
		p.opened, p.inline = p.opened[:n-1], p.inline[:n-1]
	}
	if p.macro == p.depth {
		p.macro = 0
	}
	if p.depth > 0 {
		p.depth--
	}
}

// options notes names of kernel options, also within strings: macros build
// code out of them.
func (p *rustParser) options(t token) {
	const prefix = "CONFIG_"
	for s := t.text; ; {
		i := strings.Index(s, prefix)
		if i < 0 {
			return
		}
		s = s[i:]
		n := len(prefix)
		for n < len(s) && isWord(s[n]) {
			n++
		}
		p.file.Options = append(p.file.Options, s[:n])
		if p.macro > 0 {
			p.file.Exported = append(p.file.Exported, s[:n])
		}
		s = s[n:]
	}
}

// generated notes strings that may be paths of generated files.
func (p *rustParser) generated(t token) {
	if t.kind != str || !strings.HasSuffix(t.text, ".rs") {
		return
	}
	p.file.Strings = append(p.file.Strings, t.text)
	if p.macro > 0 {
		p.file.Macros = append(p.file.Macros, t.text)
	}
}

// attribute notes #[path = "..."]; other attributes run on as plain tokens.
func (p *rustParser) attribute() {
	saved := p.lex
	if p.lex.next().text == "[" && p.lex.next().text == "path" && p.lex.next().text == "=" {
		if t := p.lex.next(); t.kind == str {
			p.pathAttr = t.text
			return
		}
	}
	p.lex = saved
}

func (p *rustParser) module() {
	saved := p.lex
	name, then := p.lex.next(), p.lex.next()
	switch {
	case name.kind != word:
		p.lex = saved
	case then.text == ";":
		m := Module{Name: strings.TrimPrefix(name.text, "r#"), Path: p.pathAttr, Parent: slices.Clone(p.inline)}
		p.file.Modules = append(p.file.Modules, m)
		p.pathAttr = ""
	case then.text == "{":
		p.depth++
		p.inline = append(p.inline, name.text)
		p.opened = append(p.opened, p.depth)
		p.pathAttr = ""
	default:
		p.lex = saved
	}
}

func (p *rustParser) include() {
	saved := p.lex
	if p.lex.next().text == "!" && p.lex.next().text == "(" {
		if t := p.lex.next(); t.kind == str {
			p.file.Included = append(p.file.Included, t.text)
			return
		}
	}
	p.lex = saved
}

// moduleFiles lists where the file of module m of file from may lie. A file
// that owns its folder (the root of a crate, mod.rs, one named by a path
// attribute) has its modules beside it, others in a folder of their own name.
func moduleFiles(from string, owner bool, m Module) []string {
	dir := path.Dir(from)
	if m.Path != "" && len(m.Parent) == 0 {
		return []string{path.Join(dir, m.Path)}
	}
	if !owner {
		dir = strings.TrimSuffix(from, ".rs")
	}
	dir = path.Join(dir, path.Join(m.Parent...))
	if m.Path != "" {
		return []string{path.Join(dir, m.Path)}
	}
	return []string{path.Join(dir, m.Name+".rs"), path.Join(dir, m.Name, "mod.rs")}
}
