#!/bin/sh
# bench-farm.sh [FLAG...]: builds or installs the servers of others and has
# cmd/farmbench load them and ours side by side.
set -eu
cd "$(dirname "$0")/.."
go build -trimpath -o bin/farmbench ./cmd/farmbench
(cd deploy/peers && go build -trimpath -o ../../bin/ tool)
bin/kvfarm toolchain make clients
exec bin/farmbench -root "$(bin/kvfarm toolchain path clients)" "$@"
