package ir

// funcScope holds the names of the function that is being read. Registers and
// blocks may be used before they are defined: until the end of the function an
// Index or Target is the place of the name in order of first mention.
type funcScope struct {
	regs   names
	blocks names
	types  []*Type // of registers in order of definition
}

type names struct {
	ids   map[string]int
	first []token // where each id was first mentioned
	def   []int   // index by id, -1 while undefined
}

func (n *names) id(t token) int {
	id, ok := n.ids[t.text]
	if !ok {
		id = len(n.def)
		n.ids[t.text] = id
		n.first = append(n.first, t)
		n.def = append(n.def, -1)
	}
	return id
}

func (p *parser) function(name string) *Func {
	f := &Func{Name: name}
	p.fn = &funcScope{regs: names{ids: map[string]int{}}, blocks: names{ids: map[string]int{}}}
	p.expect('(')
	p.list(')', func() {
		param := p.param()
		f.Sig.Params = append(f.Sig.Params, param)
		p.define(param.Type)
	})
	p.sigTail(&f.Sig)
	p.expect('{')
	for !p.accept('}') && !p.failed() {
		p.statement(f)
	}
	if !p.failed() {
		p.resolve(f)
	}
	f.Regs = p.fn.types
	f.NumReg = len(f.Regs)
	p.fn = nil
	return f
}

// define reads the %name of a register and gives it the next number.
func (p *parser) define(t *Type) int {
	at := p.tok
	p.take(tokLocal, "a register")
	id := p.fn.regs.id(at)
	if p.fn.regs.def[id] >= 0 {
		p.failAt(at, "%%%s is defined twice", at.text)
	}
	p.fn.regs.def[id] = len(p.fn.types)
	p.fn.types = append(p.fn.types, t)
	return len(p.fn.types) - 1
}

// local reads a register where it is used.
func (p *parser) local(t *Type) Value {
	at := p.tok
	p.advance()
	if p.fn == nil {
		p.failAt(at, "%v outside a function", at)
		return Value{Type: t}
	}
	return Value{Kind: Reg, Type: t, Index: p.fn.regs.id(at)}
}

// label reads the name of a block where it is used; "label %" before it is LLVM's way.
func (p *parser) label() int {
	p.acceptWord("label")
	if p.tok.kind != tokLocal && p.tok.kind != tokWord {
		p.fail("%v where a block is wanted", p.tok)
		return 0
	}
	id := p.fn.blocks.id(p.tok)
	p.advance()
	return id
}

// statement reads a label or an instruction. Instructions before the first
// label belong to a block of their own.
func (p *parser) statement(f *Func) {
	if p.is(tokWord) && p.ahead.kind == ':' {
		id := p.fn.blocks.id(p.tok)
		if p.fn.blocks.def[id] >= 0 {
			p.fail("block %v is defined twice", p.tok)
		}
		p.fn.blocks.def[id] = len(f.Blocks)
		f.Blocks = append(f.Blocks, &Block{})
		p.advance()
		p.advance()
		return
	}
	if len(f.Blocks) == 0 {
		f.Blocks = append(f.Blocks, &Block{})
	}
	b := f.Blocks[len(f.Blocks)-1]
	b.Insts = append(b.Insts, p.instruction())
}

// resolve turns mentions of names into indices.
func (p *parser) resolve(f *Func) {
	for _, n := range []*names{&p.fn.regs, &p.fn.blocks} {
		for id, def := range n.def {
			if def < 0 {
				p.failAt(n.first[id], "%v is not defined", n.first[id])
				return
			}
		}
	}
	for _, b := range f.Blocks {
		for _, in := range b.Insts {
			for i := range in.Args {
				p.resolveReg(&in.Args[i])
			}
			for i, id := range in.Targets {
				in.Targets[i] = p.fn.blocks.def[id]
			}
		}
	}
}

func (p *parser) resolveReg(v *Value) {
	if v.Kind == Reg {
		v.Index = p.fn.regs.def[v.Index]
	}
	for i := range v.Elems {
		p.resolveReg(&v.Elems[i])
	}
}
