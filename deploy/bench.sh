#!/bin/sh
# bench.sh: wall, CPU and counts of the stages of a submit: cold, again, after a
# one-line edit; and what the sandbox costs per action.
set -eu
cd "$(dirname "$0")/.."
say() { printf '\n== %s\n' "$*"; }
tree=$(bin/kvfarm toolchain source linux-source-7.2)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cp -a --reflink=auto "$tree" "$work/tree"

submit() {
	say "$1"
	shift
	/usr/bin/time -f 'process: %e s wall, %U s user, %S s system, %M KiB peak' \
		bin/kvfarm submit --state "$work/state" --tree "$work/tree" --report "$work/report" "$@" >"$work/out" 2>"$work/err" || [ $? != 2 ]
	sed -n '/^ACTIONS/,/^$/p' "$work/report/report.txt"
	tail -n 2 "$work/out"
	tail -n 1 "$work/err"
}
submit "cold: nothing in the store but the toolchain"
submit "again: nothing changed"
sed -i '1i // A comment.' "$work/tree/drivers/gpu/drm/drm_panic_qr.rs"
submit "a comment at the top of a driver"
sed -i '0,/url_len + 5/s//url_len + 6/' "$work/tree/drivers/gpu/drm/drm_panic_qr.rs"
submit "one function edited"

say "sandbox overhead per action"
go test -run '^$' -bench . ./executor/sandbox ./executor/worker
