#!/bin/sh
# Regenerates the Go code of every .proto below this folder. CI runs it and
# asks git whether anything changed. Needs protoc; the plugins are tools of go.mod.
set -eu
cd "$(dirname "$0")"
imports=$(mktemp)
trap 'rm -f "$imports"' EXIT
go run ./internal/imports >"$imports"
protoc --descriptor_set_in="$imports" --proto_path=. \
	--plugin=protoc-gen-go="$(go tool -n protoc-gen-go)" \
	--plugin=protoc-gen-go-grpc="$(go tool -n protoc-gen-go-grpc)" \
	--go_out=. --go_opt=paths=source_relative \
	--go-grpc_out=. --go-grpc_opt=paths=source_relative \
	kvfarm/v1/*.proto buildbarn/runner/*.proto
