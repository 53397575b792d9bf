#!/bin/sh
# bench-shards.sh [FLAG...]: proves what engine/testdata/bench/shards.txt lists
# whole and in shards (cmd/shardbench). Flags are shardbench's; -plan 1000 plans for as many shards.
# The budget is what the hardest of them, a tree of 8 keys, wants as a whole.
set -eu
cd "$(dirname "$0")/.."
work=bin/bench-shards
mkdir -p $work
rm -f $work/*.kvs
grep -v -e '^#' -e '^$' engine/testdata/bench/shards.txt >$work/checks
deploy/in-root.sh "$(bin/kvfarm toolchain path sdk)" sh -eu deploy/bench-compile.sh slice $work
go build -trimpath -o bin/shardbench ./cmd/shardbench
exec bin/shardbench -budget 30000000 "$@" $work/*.kvs
