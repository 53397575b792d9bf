#!/bin/sh
# fuzz.sh CHECK SEED RUNS FILE.bc...: as replay.sh, but looks for inputs that
# fail, in at most so many runs. The first line of the output is how the failing run
# ends, or OK; the inputs follow, a line each.
set -eu
check=$1 seed=$2 runs=$3 passes=,sancov-module
shift 3
. "$(dirname "$0")/build.sh"

code=0
"$work/replay" "$seed" "$runs" "$work/inputs" >"$work/said" || code=$?
case $code in
0) cat "$work/said" ;;
1[0-5])
	run "$work/inputs"
	cat "$work/inputs"
	;;
*) exit "$code" ;;
esac
