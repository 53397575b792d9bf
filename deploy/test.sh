#!/bin/sh
# test.sh: everything that CI runs.
set -eu
cd "$(dirname "$0")/.."
say() { printf '\n== %s\n' "$*"; }
export KVFARM_CI=1

# Without the race detector there is no cgo, as in kvfarm itself: what that was compiled of serves here, too.
plain() { CGO_ENABLED=0 GOFLAGS=-trimpath "$@"; }

# Many tests wait, for a mirror, a disk, or each other. aside has a command run in the time that is left; join waits for
# its end, shows what it said, and fails if it did.
logs=$(mktemp -d)
trap 'cat "$logs"/*.pid 2>/dev/null | xargs -r kill 2>/dev/null || true; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
aside() {
	name=$1
	shift
	# timeout, when it is ended, ends all that the command has started.
	CGO_ENABLED=0 GOFLAGS=-trimpath timeout 80m nice "$@" >"$logs/$name" 2>&1 &
	echo $! >"$logs/$name.pid"
}
join() {
	failed=0
	wait "$(cat "$logs/$1.pid")" || failed=$?
	rm "$logs/$1.pid"
	cat "$logs/$1"
	return $failed
}

aside clients bin/kvfarm toolchain make clients

say "format, vet, linters"
unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
[ -z "$unformatted" ] || { echo "not formatted:"; echo "$unformatted"; exit 1; }
plain go vet ./...
plain go tool staticcheck ./...

say "generated files are fresh"
plain proto/generate.sh
git diff --exit-code -- proto
plain go tool gazelle -external=static -mode=diff

say "tests, with the race detector where goroutines meet; and the engine with a SAT solver that is not ours"
# What is proved of thousands of programs and mutants is compared below, with the solver that proves.
aside engine go test -vet=off -timeout 30m -skip '^(TestDifferential.*|TestMutants|TestMeasured|TestSameBytes)$' ./proto/... ./engine/...
aside buildbarn sh -c 'cd deploy/buildbarn && go build -o "$0/" tool' "$logs/buildbarn.bin"
go test -race -vet=off -timeout 30m -skip '^(TestKernel|TestClients$|TestCorpus$|TestNative|TestLevels$|TestMeasured$)' ./cmd/... ./cas/... ./executor/... ./frontend/... ./kbuild/...
join engine

# The second opinion was heard above, where the solvers of others are installed.
sdk=$(bin/kvfarm toolchain path sdk)
aside proofs deploy/in-root.sh "$sdk" go test -timeout 60m -tags cadical -skip 'SecondOpinion$' ./engine/smt/... ./engine/certificate/... ./engine/check/... ./cmd/kvengine/...

say "other clients on our server: Bazel, siso, recc, trexe, casupload"
join clients
plain go test -vet=off -count=1 -timeout 20m -v -run '^TestClients$' ./cmd/kvfarm

say "the way of a developer, on a real kernel"
join buildbarn # compiled: the test links it
plain go test -vet=off -count=1 -timeout 60m -v -run '^TestKernel' ./cmd/kvfarm

say "the engine's Rust sources, compiled by the toolchain root at three levels and run on this machine; its checks in C"
plain go test -vet=off -count=1 -timeout 20m -run '^(TestCorpus|TestNative.*|TestLevels|TestMeasured)$' ./cmd/kvlower

say "tests that need LLVM, in the sdk root"
deploy/in-root.sh "$sdk" go test -timeout 30m -tags llvm -skip '^(TestCorpus|TestNative.*|TestLevels|TestMeasured)$' ./cmd/kvlower/...

say "tests that need CaDiCaL, in the sdk root"
join proofs
