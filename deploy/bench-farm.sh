#!/bin/sh
# bench-farm.sh [FLAG...]: builds or installs the servers of others and has
# cmd/farmbench load them and ours side by side. What cannot be had is left out.
set -eu
cd "$(dirname "$0")/.."
go build -trimpath -o bin/farmbench ./cmd/farmbench
(cd deploy/peers && go build -trimpath -o ../../bin/ tool) || echo "bench-farm: bazel-remote cannot be built" >&2
bin/kvfarm toolchain make clients || echo "bench-farm: the clients root cannot be made" >&2
root=$(bin/kvfarm toolchain path clients) || root=
exec bin/farmbench -root "$root" -buildbarn deploy/buildbarn/start.sh "$@"
