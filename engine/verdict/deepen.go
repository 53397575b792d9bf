package verdict

// Deepen makes one verdict of two about the same root: one that follows few rounds of its
// loops, and one that follows more of them. Facts of each are what it rests on beside its sites.
//
// All that the first says holds, so what it refutes or proves of all runs is so; what the second does
// not decide is proved up to the lower bound where the first says that.
func Deepen(shallow, deep *Verdict, sf, df Facts) *Verdict {
	p, q := claimsOf(shallow), claimsOf(deep)
	p.rest(sf)
	q.rest(df)
	lower := false // something is proved up to the lower bound only
	out := gather(p, q, func(s, d claim) claim {
		switch {
		case d.witness != nil:
			return d
		case s.witness != nil || s.listed && s.reason == "" && !s.bounded:
			return s
		case d.reason != "" && (s.decided() || s == claim{} && !p.stopped): // undefined behaviour is not listed where it is proved
			lower = true
			return s
		case s.reason != "" && d == claim{} && q.stopped:
			return s
		}
		return d
	})
	rests := q
	if q.stopped && (!p.stopped || q.reason == Budget) {
		rests = p
	}
	out.stopped, out.reason, out.place, out.bound = rests.stopped, rests.reason, rests.place, rests.bound
	if lower {
		out.bound = p.bound
	}
	out.ended, out.idle = p.ended || q.ended, p.idle && q.idle
	v := out.verdict()
	if v.Verdict == Unknown && v.Reason == Budget {
		v.Frontier = deep.Frontier
	}
	return v
}

// rest enters what a verdict rests on beside its sites.
func (c *claims) rest(f Facts) {
	c.ended, c.idle, c.stopped, c.reason, c.place, c.bound = f.Ended, f.Idle, f.Stopped != "", f.Stopped, f.Place, f.Bound
}
