# bench-compile.sh slice|goto DIR: compiles what DIR/checks lists, for the engine
# or for CBMC, inside the root that has the tools for it.
form=$1 dir=$2
src=engine/testdata/bench
while read -r name file n _; do
	size= out=$dir/$name
	[ "$n" = - ] || size=-DN=$n
	root=$(sed -n 's/.*\(check_[a-z0-9_]*\)(void)$/\1/p' $src/"$file".c)
	if [ "$form" = goto ]; then
		goto-cc -DKVFARM_CBMC $size --function "$root" -o "$out.gb" $src/"$file".c
		continue
	fi
	# As rustc's code is verified: optimisation is asked for, but no pass of LLVM runs.
	clang-22 -O1 -Xclang -disable-llvm-passes -fno-builtin $size -emit-llvm -c -o "$out.bc" $src/"$file".c
	bin/kvlower --root "$root" --out "$out.d" "$out.bc"
	mv "$out.d/0.kvs" "$out.kvs"
	rm -r "$out.d" "$out.bc"
done <"$dir/checks"
