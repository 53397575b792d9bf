#!/bin/sh
# test.sh: everything that CI runs.
set -eu
cd "$(dirname "$0")/.."
say() { printf '\n== %s\n' "$*"; }
export KVFARM_CI=1

say "format, vet, linters"
unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
[ -z "$unformatted" ] || { echo "not formatted:"; echo "$unformatted"; exit 1; }
go vet ./...
go tool staticcheck ./...

say "generated files are fresh"
proto/generate.sh
git diff --exit-code -- proto
go tool gazelle -external=static -mode=diff

say "tests, with the race detector where goroutines meet"
go test -race -timeout 30m -skip '^(TestKernel|TestClients$|TestCorpus$|TestNative$|TestLevels$|TestMeasured$)' ./cas/... ./executor/... ./frontend/... ./kbuild/... ./cmd/...
# What is proved of thousands of generated programs is compared below, with the solver that proves.
go test -timeout 30m -skip '^TestDifferential' ./proto/... ./engine/...

say "other clients on our server: Bazel, siso, recc, trexe, casupload"
bin/kvfarm toolchain make clients
go test -count=1 -timeout 20m -v -run '^TestClients$' ./cmd/kvfarm

say "the way of a developer, on a real kernel"
go test -count=1 -timeout 60m -v -run '^TestKernel' ./cmd/kvfarm

say "the engine's Rust sources, compiled by the toolchain root at three levels and run on this machine; its checks in C"
go test -count=1 -timeout 20m -run '^(TestCorpus|TestNative|TestLevels|TestMeasured)$' ./cmd/kvlower

say "tests that need LLVM or CaDiCaL, in the sdk root"
sdk=$(bin/kvfarm toolchain path sdk)
deploy/in-root.sh "$sdk" go test -timeout 30m -tags llvm -skip '^(TestCorpus|TestNative|TestLevels|TestMeasured)$' ./cmd/kvlower/...
# The second opinion was heard above, where the solvers of others are installed.
deploy/in-root.sh "$sdk" go test -timeout 30m -tags cadical -skip 'SecondOpinion$' ./engine/smt/... ./engine/certificate/... ./engine/check/... ./cmd/kvengine/...
