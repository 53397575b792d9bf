#!/bin/sh
# bench-engine.sh [NAME...]: what the engine costs, beside CBMC on the same C
# files and beside KLEE's published figures. Without names: all of
# engine/testdata/bench/checks.txt, and the slices of real code.
#
# Environment: RUNS (5), the runs of which the one of least processor time counts; LIMIT (60), the
# seconds of the wall after which a run counts as no answer.
set -eu
cd "$(dirname "$0")/.."
work=bin/bench
mkdir -p $work
rm -f $work/*.kvs $work/*.gb
bin/kvfarm toolchain make peers
sdk=$(bin/kvfarm toolchain path sdk)
peers=$(bin/kvfarm toolchain path peers)
names=$*

grep -v -e '^#' -e '^$' engine/testdata/bench/checks.txt |
	awk -v names=" $names " 'names == "  " || index(names, " " $1 " ")' >$work/checks

deploy/in-root.sh "$sdk" sh -eu deploy/bench-compile.sh slice $work
deploy/in-root.sh "$peers" sh -eu deploy/bench-compile.sh goto $work
if [ -z "$names" ]; then
	cp engine/testdata/rustc/c0*.kvs engine/testdata/kernel/*.kvs $work
fi
deploy/in-root.sh "$peers" env RUNS="${RUNS:-5}" LIMIT="${LIMIT:-60}" bash deploy/bench-time.sh $work >$work/times
awk -f deploy/bench-engine.awk $work/checks $work/times
