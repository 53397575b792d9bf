package sat

// marks is a set of small numbers that is emptied at no cost.
type marks struct {
	at  []uint32
	now uint32
}

func (m *marks) clear() {
	if m.now++; m.now == 0 { // after 2^32 times
		clear(m.at)
		m.now = 1
	}
}

func (m *marks) set(i int) {
	for len(m.at) <= i {
		m.at = append(m.at, 0)
	}
	m.at[i] = m.now
}

func (m *marks) has(i int) bool { return i < len(m.at) && m.at[i] == m.now && m.now != 0 }
