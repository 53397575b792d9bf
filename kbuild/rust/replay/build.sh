# build.sh makes the program $work/replay of the function $check in the bitcode
# "$@", after LLVM's passes $passes. It is read by replay.sh and fuzz.sh.
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
	[ ! -e "$here/over.bc" ] || set -- "--override=$here/over.bc" "$@"
	llvm-link -o "$work/all.bc" "$@"
	# rust_fmt_argument formats what the panic handler has to say.
	opt -passes="internalize,globaldce$passes" -internalize-public-api-list="$check,rust_fmt_argument" \
		-sanitizer-coverage-level=3 -sanitizer-coverage-trace-pc-guard -sanitizer-coverage-trace-compares \
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

# run runs it with the inputs in a file and says how that ended.
run() {
	code=0
	"$work/replay" "$1" >"$work/out" || code=$?
	read -r word address <"$work/out" || true
	if [ "$word" = ASSERT ]; then
		# The address is that after the call.
		address=$(printf '0x%x' $((address - 1)))
		echo "ASSERT $(llvm-symbolizer --obj="$work/replay" --no-inlines --output-style=GNU --functions=none "$address" | head -n 1)"
	else
		cat "$work/out"
	fi
	case $code in
	0 | 1[0-5]) return 0 ;;
	esac
	return "$code"
}
