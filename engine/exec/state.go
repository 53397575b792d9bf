package exec

import (
	"encoding/binary"
	"sort"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// state is one path, or several that were merged, on its way.
type state struct {
	top   *frame
	pc    *cond
	mem   []entry // by object
	owner *token
	cuts  int             // of the run, when the state was refined
	model *expr.Evaluator // of a model that satisfies pc; nil if none is at hand
	due   bool            // stands at a loop's head with more rounds behind it than the bound allows

	general bool      // no run of its own: it came out of a loop that was generalised
	loose   expr.Expr // where it is not known what happened: loose.go
	why     string
	leaked  []int      // objects of the slice that code outside can reach
	epoch   int        // of memory that is not known (wild.go)
	shown   []int      // objects that addresses lead to which are read there
	shownIn int        // the epoch in which that was found out last
	pending []question // properties that are not asked for yet: pending.go
}

type entry struct {
	id int
	o  *object
}

// frame is one call. Frames below the top are shared between states; the top
// belongs to one state alone.
type frame struct {
	parent *frame
	flow   *flow
	prefix string // position of the call
	regs   []*value
	block  int
	inst   int
	iters  []iteration // of the loops around block, outermost first
	locals []int       // stack objects
}

// iteration counts rounds of a loop: all of them, and those that some inputs
// leave and others do not, which tell a loop whose end is known from one that must be bounded.
type iteration struct {
	n      int
	open   int
	forked bool // in this round some inputs have left
}

// key is a state's position: states with equal keys are merged, and the least
// key runs next. Keys compare as strings: outer positions first.
func (s *state) key() string {
	f := s.top
	if s.due {
		return f.prefix + f.position() + "due"
	}
	return f.prefix + f.position()
}

// position encodes where in its function a frame stands: for each loop around
// the block its rank and round, then the block's rank, then the instruction.
func (f *frame) position() string {
	var buf []byte
	for l, i := f.flow.pos[f.block].loop, len(f.iters)-1; l >= 0; l, i = f.flow.loops[l].parent, i-1 {
		var part [8]byte
		binary.BigEndian.PutUint32(part[:4], uint32(f.flow.loops[l].rank))
		binary.BigEndian.PutUint32(part[4:], uint32(f.iters[i].n))
		buf = append(part[:], buf...)
	}
	buf = binary.BigEndian.AppendUint32(buf, uint32(f.flow.pos[f.block].rank))
	return string(binary.BigEndian.AppendUint32(buf, uint32(f.inst)))
}

func (f *frame) place() Place { return Place{Func: f.flow.index, Inst: f.flow.base[f.block] + f.inst} }

// Place is an instruction: its index in its function, counted through the blocks in order.
type Place struct{ Func, Inst int }

func (s *state) stack() []Place {
	var out []Place
	for f := s.top; f != nil; f = f.parent {
		out = append(out, f.place())
	}
	return out
}

// fork returns a copy of s. Both give up what they owned.
func (s *state) fork() *state {
	t := *s
	t.top = s.top.clone()
	t.mem = append([]entry(nil), s.mem...)
	s.owner, t.owner = new(token), new(token)
	return &t
}

func (f *frame) clone() *frame {
	g := *f
	g.regs = append([]*value(nil), f.regs...)
	g.iters = append([]iteration(nil), f.iters...)
	g.locals = f.locals[:len(f.locals):len(f.locals)]
	return &g
}

// fork notes that inputs part where the top frame stands: those that go to one
// block stay in the loops that lead to others leave.
func (f *frame) fork(to int, others []way) {
	l := f.flow.pos[f.block].loop
	for i := len(f.iters) - 1; i >= 0; i, l = i-1, f.flow.loops[l].parent {
		for _, w := range others {
			if f.flow.contains(l, to) && !f.flow.contains(l, w.to) {
				f.iters[i].forked = true
			}
		}
	}
}

// enter moves the top frame along an edge and counts loop rounds.
func (f *frame) enter(to int) {
	fl := f.flow
	var chain []int
	for l := fl.pos[to].loop; l >= 0; l = fl.loops[l].parent {
		chain = append([]int{l}, chain...)
	}
	iters := make([]iteration, len(chain))
	for i, l := range chain {
		if i < len(f.iters) && fl.contains(l, f.block) {
			iters[i] = f.iters[i]
			if fl.loops[l].head == to {
				iters[i].n++
				if iters[i].forked {
					iters[i].open++
					iters[i].forked = false
				}
			}
		}
	}
	f.iters, f.block, f.inst = iters, to, 0
}

// object returns the state's part of an object, or nil if it was never touched or is gone.
func (s *state) object(id int) *object {
	i := sort.Search(len(s.mem), func(i int) bool { return s.mem[i].id >= id })
	if i < len(s.mem) && s.mem[i].id == id {
		return s.mem[i].o
	}
	return nil
}

func (s *state) setObject(id int, o *object) {
	i := sort.Search(len(s.mem), func(i int) bool { return s.mem[i].id >= id })
	if i < len(s.mem) && s.mem[i].id == id {
		s.mem[i].o = o
		return
	}
	s.mem = append(s.mem, entry{})
	copy(s.mem[i+1:], s.mem[i:])
	s.mem[i] = entry{id, o}
}

// dropObjects forgets stack objects whose frame is gone. ids ascend.
func (s *state) dropObjects(ids []int) {
	if len(ids) == 0 {
		return
	}
	gone := make(map[int]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	out := s.mem[:0:0]
	for _, e := range s.mem {
		if !gone[e.id] {
			out = append(out, e)
		}
	}
	s.mem = out
}

// own returns the state's part of an object for writing.
func (x *exec) own(s *state, id int) *object {
	o := s.object(id)
	if o == nil {
		o = &object{owner: s.owner, dead: expr.False, top: &layer{owner: s.owner, base: x.untouched(s.leaked, id), pages: map[int64]*page{}}}
		s.setObject(id, o)
		return o
	}
	if o.owner != s.owner {
		o = &object{owner: s.owner, dead: o.dead, top: o.top}
		s.setObject(id, o)
	}
	return o
}

func (x *exec) ownTop(s *state, id int) *layer {
	o := x.own(s, id)
	if o.top.owner != s.owner {
		l := *o.top
		l.owner = s.owner
		l.pages = make(map[int64]*page, len(o.top.pages)+1)
		for k, p := range o.top.pages {
			l.pages[k] = p
		}
		o.top = &l
	}
	return o.top
}

func (x *exec) setSlot(s *state, l *layer, k int64, v slot) {
	p := l.pages[k/pageBytes]
	switch {
	case p == nil:
		p = &page{owner: s.owner}
		l.pages[k/pageBytes] = p
	case p.owner != s.owner:
		q := *p
		q.owner = s.owner
		p = &q
		l.pages[k/pageBytes] = p
	}
	p.slots[k%pageBytes] = v
}

// deadOf says where an object must not be touched.
func (x *exec) deadOf(s *state, id int) expr.Expr {
	o := s.object(id)
	switch kind := x.infos[id].kind; {
	case o != nil:
		return o.dead
	case kind == objStack || kind == objHeap:
		return expr.True // its frame has returned
	}
	return expr.False
}
