# make demo: the main job on a real kernel.   make test: everything CI runs.
# make bench: tables and ratios.              make build: the three programs.
# make bench-engine: the engine beside CBMC.   make bench-farm: the farm beside others.
# make bench-shards: one hard root, divided.
# make buildbarn: a Buildbarn farm on loopback.
# make bench-reuse: what is proved again for which change.

GO     ?= go
GOBIN_FLAGS = -trimpath -buildvcs=false

.PHONY: help build demo test bench generate roots kvfarm kvlower kvengine clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

build: kvfarm kvlower kvengine

# The toolchain root runs the kernel's build; the sdk root builds our two
# programs that link LLVM and CaDiCaL, so that they do not depend on the host.
roots: kvfarm
	@deploy/setup.sh ca-certificates mmdebstrap util-linux xz-utils $$([ "$$(id -u)" = 0 ] || echo uidmap)
	@bin/kvfarm toolchain make

kvfarm:
	@$(GO) mod download
	CGO_ENABLED=0 $(GO) build $(GOBIN_FLAGS) -o bin/kvfarm ./cmd/kvfarm

# go build writes the same bytes again when nothing changed: the engine's digest
# is part of every proof's key.
kvlower: roots
	deploy/in-root.sh "$$(bin/kvfarm toolchain path sdk)" \
		env CGO_CXXFLAGS=-I/usr/lib/llvm-22/include CGO_LDFLAGS=-L/usr/lib/llvm-22/lib \
		go build $(GOBIN_FLAGS) -tags llvm -o bin/kvlower ./cmd/kvlower

kvengine: roots
	deploy/in-root.sh "$$(bin/kvfarm toolchain path sdk)" \
		go build $(GOBIN_FLAGS) -tags cadical,netgo,osusergo -ldflags '-s -w -extldflags -static' -o bin/kvengine ./cmd/kvengine

demo: build
	@deploy/demo.sh

test: test-packages build
	@deploy/test.sh

.PHONY: test-packages
test-packages:
	@deploy/setup.sh gcc git libc6-dev protobuf-compiler z3

bench: build
	@deploy/setup.sh time
	@deploy/bench.sh

# The engine alone, beside CBMC. NAMES="c04 heap-8" asks for some of the checks only.
.PHONY: bench-engine
bench-engine: build
	@deploy/bench-engine.sh $(NAMES)

# Roots that are hard, whole and in shards. ARGS="-plan 1000" plans with as many.
.PHONY: bench-shards
bench-shards: build
	@deploy/bench-shards.sh $(ARGS)

# The farm beside other servers of the same API. ARGS="-rows hits -rounds 9" asks
# for some rows only; bin/farmbench -help lists what else.
.PHONY: bench-farm
bench-farm: kvfarm
	@deploy/setup.sh ca-certificates mmdebstrap util-linux $$([ "$$(id -u)" = 0 ] || echo uidmap)
	@deploy/bench-farm.sh $(ARGS)

# Runs until it is stopped; says how to use it.
.PHONY: buildbarn
buildbarn: kvfarm
	@deploy/buildbarn/start.sh

# One store through five kernels and two dozen commits. TARGETS=drivers/net/phy asks for less.
.PHONY: bench-reuse
bench-reuse: build
	@deploy/setup.sh time
	@deploy/bench-reuse.sh

generate:
	@deploy/setup.sh protobuf-compiler
	proto/generate.sh
	$(GO) tool gazelle -external=static

clean:
	rm -rf bin
