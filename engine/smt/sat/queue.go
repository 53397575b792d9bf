package sat

// queue is a heap of variables, the most active first. Activities are whole
// numbers: instead of decaying all, what is added grows.
type queue struct {
	heap     []int32
	place    []int32 // by variable: 1+index in heap, 0 if it is not there
	activity []uint64
	inc      uint64
}

// know makes room for variable v, the next one.
func (q *queue) know(v int) {
	for len(q.place) <= v {
		q.place = append(q.place, 0)
		q.activity = append(q.activity, 0)
	}
}

// add puts v in, unless it is.
func (q *queue) add(v int) {
	if q.place[v] == 0 {
		q.heap = append(q.heap, int32(v))
		q.up(len(q.heap) - 1)
	}
}

// pop takes the most active variable out.
func (q *queue) pop() (v int, ok bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	v = int(q.heap[0])
	q.place[v] = 0
	last := q.heap[len(q.heap)-1]
	q.heap = q.heap[:len(q.heap)-1]
	if len(q.heap) > 0 {
		q.heap[0] = last
		q.down(0)
	}
	return v, true
}

func (q *queue) bump(v int) {
	if q.activity[v] += q.inc; q.activity[v] > 1<<62 {
		for i := range q.activity {
			q.activity[i] >>= 40
		}
		q.inc = max(q.inc>>40, 1<<10)
	}
	if q.place[v] > 0 {
		q.up(int(q.place[v]) - 1)
	}
}

func (q *queue) decay() { q.inc += q.inc >> 4 }

func (q *queue) before(v, w int32) bool {
	if q.activity[v] != q.activity[w] {
		return q.activity[v] > q.activity[w]
	}
	return v < w
}

func (q *queue) up(i int) {
	v := q.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !q.before(v, q.heap[parent]) {
			break
		}
		q.set(i, q.heap[parent])
		i = parent
	}
	q.set(i, v)
}

func (q *queue) down(i int) {
	v := q.heap[i]
	for {
		child := 2*i + 1
		if child >= len(q.heap) {
			break
		}
		if child+1 < len(q.heap) && q.before(q.heap[child+1], q.heap[child]) {
			child++
		}
		if !q.before(q.heap[child], v) {
			break
		}
		q.set(i, q.heap[child])
		i = child
	}
	q.set(i, v)
}

func (q *queue) set(i int, v int32) {
	q.heap[i] = v
	q.place[v] = int32(i + 1)
}
