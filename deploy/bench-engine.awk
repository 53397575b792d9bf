# bench-engine.awk CHECKS TIMES: the tables of bench-engine.sh.

FNR == NR { order[++n] = $1; size[$1] = $3; want[$1] = $5; klee[$1] = $6; early[$1] = $7; next }
!($1 in seen) { seen[$1] = 1; if (!($1 in want)) code[++m] = $1 }
$2 == "kvfarm" { word[$1] = $3; took[$1] = $4; cost[$1] = sprintf("%12s %8s %9s", $5, $6, $7); next }
{ peer[$1] = $3; peertook[$1] = $4 }

function ratio(a, b) { return sprintf("%.1f", a / b) }

# other returns what is to be printed of another prover's seconds s.
function other(s, name) {
	if (s == "-") return "-"
	if (s !~ /^>/) { kleelog += log(s / took[name]); kleen++; return ratio(s, took[name]) }
	return ">" ratio(substr(s, 2), took[name])
}

# scaling compares checks called FAMILY-SIZE with the smallest of their family.
function scaling(   i, c, f, k, head) {
	for (i = 1; i <= n; i++) {
		c = order[i]
		if (word[c] != want[c] || c !~ /-[0-9]+$/) continue
		f = c
		sub(/-[0-9]+$/, "", f)
		k = substr(c, length(f) + 2)
		if (!(f in base)) { base[f] = took[c]; least[f] = k; continue }
		if (!head++) printf "\n%-12s %8s %8s\n", "scaling", "size", "cost"
		printf "%-12s %7.1fx %7.1fx\n", c, k / least[f], took[c] / base[f]
	}
}

END {
	printf "%-12s %-9s %9s %12s %8s %9s | %-8s %9s %8s | %8s %8s %9s\n", "check", "verdict", "seconds", "instructions", "queries", "conflicts", "CBMC", "seconds", "ratio", "KLEE", "ratio", "prototype"
	for (i = 1; i <= n; i++) {
		c = order[i]
		r = "-"
		if (word[c] != want[c]) bad = bad " " c
		else if (peer[c] == word[c]) { r = ratio(peertook[c], took[c]); sum += log(peertook[c] / took[c]); both++ }
		else if (peer[c] == "TIMEOUT") r = ">" ratio(peertook[c], took[c])
		printf "%-12s %-9s %9.3f %s | %-8s %9.3f %8s | %8s %8s %9s\n", c, word[c], took[c], cost[c], peer[c], peertook[c], r, klee[c], word[c] == want[c] ? other(klee[c], c) : "-", early[c]
	}
	if (both) printf "\ngeometric mean of CBMC / kvfarm over the %d that both decide: %.1f\n", both, exp(sum / both)
	if (kleen) printf "geometric mean of KLEE / kvfarm over the %d that it finished: %.1f (its figures are of another run, on the Rust form)\n", kleen, exp(kleelog / kleen)
	if (m) printf "\n%-28s %-9s %9s %12s %8s %9s\n", "slices of compiled Rust", "verdict", "seconds", "instructions", "queries", "conflicts"
	for (i = 1; i <= m; i++) printf "%-28s %-9s %9.3f %s\n", code[i], word[code[i]], took[code[i]], cost[code[i]]
	scaling()
	if (bad) printf "\nnot decided as expected:%s\n", bad
}
