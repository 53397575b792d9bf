#!/bin/sh
# start.sh [DIR [EXECUTOR [CACHE]]]
#
# Runs a Buildbarn farm on this machine until it is stopped: a scheduler on
# EXECUTOR (127.0.0.1:8990), two workers with two runners each, and `kvfarm
# serve` on CACHE (127.0.0.1:8991) as its store. State, logs and process
# numbers are in DIR (buildbarn in the user's cache directory).
#
# With BUILDBARN_RUNNER=native, actions that bring no root along run as Buildbarn's
# own runner has them: in no sandbox, as our user. With BUILDBARN_RUNNER=fuse so do
# they in virtual build directories, and there are no others, whose root cannot be
# moved there. Both are for measuring alone.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kvfarm=$here/../../bin/kvfarm
[ -x "$kvfarm" ] || { echo "start: $kvfarm is not there; run make kvfarm" >&2; exit 2; }
mkdir -p "${1:-${XDG_CACHE_HOME:-$HOME/.cache}/kvfarm/buildbarn}"
BUILDBARN_DIR=$(cd "${1:-${XDG_CACHE_HOME:-$HOME/.cache}/kvfarm/buildbarn}" && pwd)
BUILDBARN_EXECUTOR=${2:-127.0.0.1:8990}
BUILDBARN_CACHE=${3:-127.0.0.1:8991}
BUILDBARN_SLOTS=${BUILDBARN_SLOTS:-1} # actions at a time of each runner
BUILDBARN_RUNNER=${BUILDBARN_RUNNER:-kvfarm}
BUILDBARN_TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export BUILDBARN_DIR BUILDBARN_EXECUTOR BUILDBARN_CACHE BUILDBARN_SLOTS BUILDBARN_RUNNER BUILDBARN_TOKEN

cd "$BUILDBARN_DIR"
rm -rf run
mkdir -p bin log run storage
(cd "$here" && go build -o "$BUILDBARN_DIR/bin/" tool)

# Clients read and send blobs; results are written by workers alone.
(umask 077 && echo "worker $BUILDBARN_TOKEN" >run/tokens)
cat >run/auth.toml <<EOF
tokens = "tokens"
[[grant]]
who = ["anonymous"]
may = ["read", "write"]
[[grant]]
who = ["token:worker"]
may = ["read", "write", "update"]
EOF

# start NAME COMMAND...: runs it in the background, with a log and its number. It ends with this script, also if
# that is killed.
pids=
start() {
	name=$1
	shift
	setpriv --pdeathsig KILL "$@" >"log/$name" 2>&1 &
	echo $! >"run/$name.pid"
	pids="$pids $!"
}

# wants NAME WORDS...: waits until a command of that name makes the test true.
wants() {
	name=$1
	shift
	for _ in $(seq 600); do
		! "$@" || return 0
		kill -0 "$(cat "run/$name.pid")" 2>/dev/null || break
		sleep 0.1
	done
	echo "start: $name is not ready; its log:" >&2
	cat "log/$name" >&2
	exit 2
}

# shellcheck disable=SC2064,SC2086 # a list of numbers
trap 'trap - EXIT; kill $pids 2>/dev/null || true; umount -l worker-?/build 2>/dev/null || true; wait' EXIT
trap 'exit 0' INT TERM

start storage "$kvfarm" serve --listen "$BUILDBARN_CACHE" --state storage --auth run/auth.toml
wants storage grep -q "serving on" log/storage
start scheduler bin/bb_scheduler "$here/scheduler.jsonnet"
wants scheduler test -S run/scheduler

for worker in worker-1 worker-2; do
	# The build directory holds what actions read, and gives files away: nobody else looks in.
	umount -l "$worker/build" 2>/dev/null || true # of a virtual one whose worker was killed
	rm -rf "$worker"
	mkdir -m 700 "$worker"
	mkdir "$worker/build" "$worker/cache"
	case $BUILDBARN_RUNNER in
	fuse) ;;
	*)
		start "$worker-runner-0" "$kvfarm" runner --listen "unix:$BUILDBARN_DIR/run/$worker-0" --build_directory "$worker/build" --action_root root
		wants "$worker-runner-0" test -S "run/$worker-0"
		;;
	esac
	case $BUILDBARN_RUNNER in
	native | fuse) BUILDBARN_WORKER=$worker start "$worker-runner-1" bin/bb_runner "$here/runner.jsonnet" ;;
	*) start "$worker-runner-1" "$kvfarm" runner --listen "unix:$BUILDBARN_DIR/run/$worker-1" --build_directory "$worker/build" ;;
	esac
	wants "$worker-runner-1" test -S "run/$worker-1"
	BUILDBARN_WORKER=$worker start "$worker" bin/bb_worker "$here/worker.jsonnet"
done

echo "start: a Buildbarn farm runs; use it with"
echo "  kvfarm submit --remote_executor grpc://$BUILDBARN_EXECUTOR --remote_cache grpc://$BUILDBARN_CACHE"
wait "$(cat run/scheduler.pid)"
