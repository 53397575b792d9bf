#!/bin/sh
# replay.sh CHECK INPUTS FILE.bc...: links the bitcode, makes a program of the
# function CHECK, and runs it with INPUTS. The first line of the output is that
# of harness.c and says how the run ended; whatever it says, the replay has then
# succeeded, with exit code 0. 2 says that no program could be made.
set -eu
check=$1 inputs=$2
shift 2
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
	[ ! -e "$here/over.bc" ] || set -- "--override=$here/over.bc" "$@"
	llvm-link -o "$work/all.bc" "$@"
	# rust_fmt_argument formats what the panic handler has to say.
	opt -passes=internalize,globaldce -internalize-public-api-list="$check,rust_fmt_argument" \
		-o "$work/check.bc" "$work/all.bc"
	# Neither the code model of the kernel nor any optimisation: what is run is
	# what was verified.
	llc -O0 -relocation-model=static -code-model=small -filetype=obj -o "$work/check.o" "$work/check.bc"
	llvm-objcopy --prefix-symbols=k_ "$work/check.o"
	clang -O1 -g -fno-builtin -fno-pie -fcf-protection=none -DCHECK="$check" -c -o "$work/harness.o" "$here/harness.c"
	llvm-nm --undefined-only --format=just-symbols "$work/check.o" | sort -u |
		awk -f "$here/missing.awk" >"$work/missing.s"
	clang -no-pie -fuse-ld=lld -o "$work/replay" "$work/harness.o" "$work/check.o" "$work/missing.s"
} >&2 || exit 2

code=0
"$work/replay" "$inputs" >"$work/out" || code=$?
read -r word address <"$work/out" || true
if [ "$word" = ASSERT ]; then
	# The address is that after the call.
	address=$(printf '0x%x' $((address - 1)))
	echo "ASSERT $(llvm-symbolizer --obj="$work/replay" --no-inlines --output-style=GNU --functions=none "$address" | head -n 1)"
else
	cat "$work/out"
fi
case $code in
0 | 1[0-5]) exit 0 ;;
esac
exit "$code"
