#!/bin/sh
# bench-reuse.sh: what proofs and compiles of one kernel are worth for the next.
# Submits each version in turn with one store and prints, for each, which
# actions ran and which were answered from it, and the processor time beside that
# of a cold run. Then every synthetic commit of cmd/kvfarm/commits_test.go.
#
# Environment: VERSIONS, the kernels in turn; TARGETS, nothing for everything;
# BUDGET, steps per root; COLD=1 also submits each with an empty store, for the
# time of the wall; COMMITS=0 leaves out the commits; STATE, a folder to use and keep.
set -eu
cd "$(dirname "$0")/.."
versions=${VERSIONS:-linux-source-7.2=7.2.6 linux-source-7.2=7.2.9 linux-source-7.2=7.2.11 linux-source-7.2=7.2.12 linux-source-7.3=7.3.4}
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
state=${STATE:-$work/state}

# submit STATE TREE: the process's own seconds of the wall, and its report in $work/report.
submit() {
	code=0
	# shellcheck disable=SC2086
	/usr/bin/time -o "$work/time" -f '%e' bin/kvfarm submit --state "$1" --tree "$2" --report "$work/report" \
		${BUDGET:+--budget "$BUDGET"} ${TARGETS-} >"$work/out" 2>"$work/err" || code=$?
	if [ "$code" = 2 ]; then
		cat "$work/err" "$work/out"
		exit 1
	fi
}

# table VERSION: a line for each kind of action, then all that prove something, then the sum.
# CPU of a cold run is what ran now and what the cached results once took.
table() {
	awk -v version="$1" -v wall="$(tail -n 1 "$work/time")" '
		/^ "[a-z_]+": \[/ || /^ "[a-z_]+": \{/ { split($0, q, "\""); part = q[2] }
		{ gsub(/[",]/, "") }
		$1 == "kind:" { kind = $2 }
		part == "cache" && $1 == "actions:" { n = $2 }
		part == "cache" && $1 == "cached:" { hit = $2 }
		part == "cache" && $1 == "cpu_seconds:" { cpu = $2 }
		part == "cache" && $1 == "cpu_seconds_saved:" {
			line(kind, n, hit, cpu, $2)
			add("all", $2)
			if (kind == "prove" || kind == "context") add("proofs", $2)
		}
		function line(name, n, hit, cpu, saved) {
			printf "%-22s %-10s %6d %6d %6.1f %% %9.1f s %9.1f s\n", version, name, n - hit, hit, n ? 100 * hit / n : 0, cpu, cpu + saved
		}
		function add(sum, saved) { N[sum] += n; H[sum] += hit; C[sum] += cpu; S[sum] += saved }
		function total(sum) { line(sum, N[sum], H[sum], C[sum], S[sum]) }
		END { total("proofs"); total("all"); printf "%-22s wall %s s\n", version, wall }' "$work/report/report.json"
	tail -n 3 "$work/out" | grep '^checks:' || true
}

printf '%-22s %-10s %6s %6s %8s %11s %11s\n' version actions ran hit 'hit' 'CPU' 'CPU cold'
for version in $versions; do
	if ! tree=$(bin/kvfarm toolchain source "$version" 2>"$work/err"); then
		grep -q 'no such version' "$work/err" || { cat "$work/err"; exit 1; }
		echo "$version: gone from the mirror"
		continue
	fi
	submit "$state" "$tree"
	table "${version#*=}"
	if [ "${COLD:-0}" = 1 ]; then
		rm -rf "$work/cold"
		submit "$work/cold" "$tree"
		table "${version#*=} cold"
	fi
done

if [ "${COMMITS:-1}" = 1 ]; then
	printf '\n== synthetic commits\n'
	KVFARM_CI=1 KVFARM_COMMITS=all KVFARM_STATE=$state go test -count=1 -timeout 3h -v -run '^TestKernelCommits$' ./cmd/kvfarm
fi
