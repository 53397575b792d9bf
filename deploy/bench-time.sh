# bench-time.sh DIR: times the engine and CBMC on what DIR holds. A line per run:
# name, tool, verdict, seconds, instructions, queries, conflicts.
#
# Processor time, because that repeats on a busy machine; bash, because it tells
# milliseconds. Both programs use one processor, but for the collector of garbage.
set -eu
dir=$1

# timed COMMAND...: the least processor time of RUNS runs, of user and system, in
# milliseconds, to $took; one run is enough of what takes longer than 5 seconds.
timed() {
	took=
	for ((i = 0; i < RUNS; i++)); do
		local text time
		code=0
		text=$({ time timeout "$LIMIT" "$@" >"$dir/out" 2>&1; } 2>&1) || code=$?
		time=0
		for part in $text; do time=$((time + 10#${part/./})); done
		if [ -z "$took" ] || [ $time -lt "$took" ]; then took=$time; fi
		if [ $time -gt 5000 ] || [ $code = 124 ]; then break; fi
	done
	if [ "$took" = 0 ]; then took=1; fi
}
TIMEFORMAT='%3U %3S'

seconds() { printf '%d.%03d' $((took / 1000)) $((took % 1000)); }

stat() { sed -n "s/^ *\"$1\": \"\?\([A-Z_0-9]*\).*/\1/p" "$dir/verdict.json" | head -n 1; }

# engine NAME [UNWIND]: as many rounds of a loop as CBMC unwinds, if the default is less.
engine() {
	local loops=()
	if [ "${2:-0}" -gt 64 ]; then loops=(--loops "$2"); fi
	rm -f "$dir/verdict.json"
	timed bin/kvengine prove "${loops[@]}" --out "$dir/verdict.json" "$dir/$1.kvs"
	if [ "$code" = 0 ]; then
		echo "$1 kvfarm $(stat verdict) $(seconds) $(stat instructions) $(stat queries) $(stat conflicts)"
	else
		echo "$1 kvfarm TIMEOUT $(seconds) - - -"
	fi
}

cbmc_word() {
	case $code in
	0) echo PROVED ;;
	10) echo REFUTED ;;
	124) echo TIMEOUT ;;
	*) echo ERROR ;;
	esac
}

peer() {
	timed cbmc --unwind "$2" --verbosity 4 "$dir/$1.gb"
	echo "$1 cbmc $(cbmc_word) $(seconds) - - -"
}

while read -r name _ _ unwind _; do
	engine "$name" "$unwind"
	peer "$name" "$unwind"
done <"$dir/checks"
for slice in "$dir"/*.kvs; do
	name=$(basename "$slice" .kvs)
	grep -q "^$name " "$dir/checks" || engine "$name"
done
