#!/bin/sh
# in-root.sh ROOT COMMAND [ARG...]
#
# Runs COMMAND in the file system ROOT, as if this checkout and Go's own
# folders stood in it. ROOT itself is not written to: an overlay takes what the
# command leaves outside of those folders, and goes with it.
set -eu
PATH=$PATH:/usr/sbin:/sbin # chroot is there, and not in every user's PATH
root=$1
shift
here=$(cd "$(dirname "$0")/.." && pwd)
goroot=$(go env GOROOT)
modcache=$(go env GOMODCACHE)
gocache=$(go env GOCACHE)
mkdir -p "$modcache" "$gocache"

unshare=unshare
[ "$(id -u)" = 0 ] || unshare="unshare --user --map-root-user"

top=$(mktemp -d)
trap 'rmdir "$top"' EXIT

# The inner shell mounts in a mount namespace of its own: nothing to undo.
$unshare --mount --fork --kill-child sh -eu -c '
	root=$1 here=$2 goroot=$3 modcache=$4 gocache=$5 top=$6
	shift 6
	mount -t tmpfs none "$top"
	mkdir "$top/upper" "$top/work" "$top/root"
	mount -t overlay -o "lowerdir=$root,upperdir=$top/upper,workdir=$top/work" none "$top/root"
	mount -t tmpfs none "$top/root/tmp" # before what may lie in /tmp itself
	for dir in "$here" "$goroot" "$modcache" "$gocache" /dev /proc; do
		mkdir -p "$top/root$dir"
		mount --rbind "$dir" "$top/root$dir"
	done
	cd "$here"
	exec chroot "$top/root" /usr/bin/env -i \
		HOME=/tmp PATH="$goroot/bin:/usr/lib/llvm-22/bin:/usr/bin:/bin" PWD="$here" \
		GOROOT="$goroot" GOMODCACHE="$modcache" GOCACHE="$gocache" GOFLAGS=-mod=readonly GOPROXY=off GOTOOLCHAIN=local \
		KVFARM_CI="${KVFARM_CI-}" \
		sh -eu -c "cd \"\$1\"; shift; exec \"\$@\"" sh "$here" "$@"
' sh "$root" "$here" "$goroot" "$modcache" "$gocache" "$top" "$@"
