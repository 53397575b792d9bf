# bench-time.sh DIR: times the engine and CBMC on what DIR holds. A line per run:
# name, tool, verdict, seconds, instructions, queries, conflicts.
#
# bash, for its clock of microseconds.
set -eu
dir=$1

# timed COMMAND...: the least wall time of RUNS runs, in microseconds, to $took;
# one run is enough of what takes longer than 5 seconds.
timed() {
	took=
	for ((i = 0; i < RUNS; i++)); do
		local start=${EPOCHREALTIME/./} status=0 time
		timeout "$LIMIT" "$@" >"$dir/out" 2>&1 || status=$?
		time=$((${EPOCHREALTIME/./} - start))
		if [ -z "$took" ] || [ $time -lt "$took" ]; then took=$time; fi
		if [ $time -gt 5000000 ]; then break; fi
	done
	code=$status
}

seconds() { printf '%d.%06d' $((took / 1000000)) $((took % 1000000)); }

stat() { sed -n "s/^ *\"$1\": \"\?\([A-Z_0-9]*\).*/\1/p" "$dir/verdict.json" | head -n 1; }

engine() {
	rm -f "$dir/verdict.json"
	timed bin/kvengine prove --out "$dir/verdict.json" "$dir/$1.kvs"
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
	engine "$name"
	peer "$name" "$unwind"
done <"$dir/checks"
for slice in "$dir"/*.kvs; do
	name=$(basename "$slice" .kvs)
	grep -q "^$name " "$dir/checks" || engine "$name"
done
