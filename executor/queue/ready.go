package queue

import (
	"cmp"
	"container/heap"
	"slices"
)

// class is the tasks of one platform that are ready to run, best first.
type class struct {
	platform []Property
	tasks    []*task
}

func (c *class) Len() int { return len(c.tasks) }

func (c *class) Less(i, j int) bool { return c.tasks[i].before(c.tasks[j]) }

func (c *class) Swap(i, j int) {
	c.tasks[i], c.tasks[j] = c.tasks[j], c.tasks[i]
	c.tasks[i].index, c.tasks[j].index = i, j
}

// Push implements heap.Interface.
func (c *class) Push(x any) {
	t := x.(*task)
	t.index = len(c.tasks)
	c.tasks = append(c.tasks, t)
}

// Pop implements heap.Interface.
func (c *class) Pop() any {
	last := len(c.tasks) - 1
	t := c.tasks[last]
	c.tasks[last] = nil
	c.tasks = c.tasks[:last]
	return t
}

// before orders by priority, then by turn, then by age. A task that is retried
// keeps all three.
func (t *task) before(u *task) bool {
	return cmp.Or(cmp.Compare(t.Priority, u.Priority), cmp.Compare(t.turn, u.turn), cmp.Compare(t.seq, u.seq)) < 0
}

// turns has invocations take turns: each one's next task comes a turn after its
// last one, and not before the turn that it is now. So who asks for one action
// does not wait until somebody's ten thousand have run.
type turns struct {
	now  uint64            // of the task that was leased last
	last map[string]uint64 // of the invocations whose tasks wait, and others
}

func (s *turns) next(invocation string) uint64 {
	turn := max(s.now, s.last[invocation]+1)
	if len(s.last) >= maxInvocations { // they start afresh, at the present turn
		clear(s.last)
	}
	s.last[invocation] = turn
	return turn
}

const maxInvocations = 1 << 16

// next returns the best ready task that the offer accepts, or nil. It costs a
// look at each platform in use, of which there are few.
func (q *Queue) next(offer []Property) *task {
	var best *task
	for _, c := range q.ready {
		if accepts(offer, c.platform) && (best == nil || c.tasks[0].before(best)) {
			best = c.tasks[0]
		}
	}
	return best
}

func (q *Queue) pushReady(t *task) {
	if t.turn == 0 {
		t.turn = q.turns.next(t.Origin.Invocation)
	}
	c, ok := q.ready[t.platform]
	if !ok {
		c = &class{platform: t.Platform}
		q.ready[t.platform] = c
	}
	heap.Push(c, t)
}

func (q *Queue) dropReady(t *task) {
	c := q.ready[t.platform]
	heap.Remove(c, t.index)
	if c.Len() == 0 {
		delete(q.ready, t.platform)
	}
}

// promote gives t the better of its and the wanted priority.
func (q *Queue) promote(t *task, priority int32) {
	if priority >= t.Priority {
		return
	}
	t.Priority = priority
	if t.stage == Queued {
		heap.Fix(q.ready[t.platform], t.index)
	}
}

// crew is the waiting workers of one offer, the longest waiting first.
type crew struct {
	offer  []Property
	parked []*parked
}

func (q *Queue) park(p *parked) {
	key := platformKey(p.worker.Properties)
	c, ok := q.idle[key]
	if !ok {
		c = &crew{offer: p.worker.Properties}
		q.idle[key] = c
	}
	c.parked = append(c.parked, p)
}

func (q *Queue) unpark(p *parked) {
	key := platformKey(p.worker.Properties)
	c, ok := q.idle[key]
	if !ok {
		return
	}
	if i := slices.Index(c.parked, p); i >= 0 {
		c.parked = slices.Delete(c.parked, i, i+1)
	}
	if len(c.parked) == 0 {
		delete(q.idle, key)
	}
}

// idleFor returns a waiting worker that can run t, or nil.
func (q *Queue) idleFor(t *task) *parked {
	for _, c := range q.idle {
		if accepts(c.offer, t.Platform) {
			return c.parked[0]
		}
	}
	return nil
}
