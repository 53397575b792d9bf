#!/bin/sh
# demo.sh: the main job on the newest Linux 7.2, twice: once for real (unless it
# was done before), once from the cache.
set -eu
cd "$(dirname "$0")/.."
say() { printf '\n== %s\n' "$*"; }

say "kernel sources"
tree=$(bin/kvfarm toolchain source linux-source-7.2)
echo "$tree"

submit="bin/kvfarm submit --tree $tree"
run() {
	status=0
	$submit "$@" || status=$?
	case $status in
	0 | 1 | 3) ;; # decided, refuted, undecided: all are answers
	*) echo "demo: submit failed with status $status" >&2; exit "$status" ;;
	esac
}

say "submit: what is new is built and proved"
run
say "submit again: everything from the cache"
run
say "to repeat it"
echo "$submit"
