package verdict

// Facts is what a verdict about a root rests on beside its sites.
type Facts struct {
	Stopped string // why a path was given up, "" if none was
	Place   *Place // where
	Bound   int    // least bound that was reached, 0 if none
	Ended   bool   // some run reaches the end of the root
	Idle    bool   // a written check none of whose assertions is reached
}

// Judge gives the root its word: what was refuted stays so; then what is open;
// then a root whose end no run reaches, or none of its assertions; then what a bound leaves out.
func (v *Verdict) Judge(f Facts) {
	refuted := false
	var open *Site
	for i := range v.Sites {
		switch site := &v.Sites[i]; site.Verdict {
		case Refuted:
			refuted = true
		case Unknown:
			if open == nil {
				open = site
			}
		}
	}
	v.Bound = f.Bound
	switch {
	case refuted:
		v.Verdict, v.Bound = Refuted, 0
	case f.Stopped != "":
		v.Verdict, v.Reason, v.Place = Unknown, f.Stopped, f.Place
	case open != nil:
		v.Verdict, v.Reason = Unknown, open.Reason
		v.Place = &Place{Func: open.Func, Inst: open.Inst}
	case f.Ended && f.Idle && f.Bound == 0:
		v.Verdict = Vacuous
	case !f.Ended && f.Bound > 0:
		v.Verdict, v.Reason = Unknown, Endless
	case !f.Ended:
		v.Verdict = Vacuous
	case f.Bound > 0:
		v.Verdict = ProvedTo
	default:
		v.Verdict = Proved
	}
}
