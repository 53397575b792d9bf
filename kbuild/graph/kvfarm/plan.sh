# Runs the kernel's own preparation with compilers of Rust that only touch their
# outputs, and gathers the command lines that kbuild leaves behind. The arguments
# are more of make's.
set -e
cd o
echo | clang -x c -c - -o kvfarm.o
# What -o names is not needed for bitcode: host tools for other ends.
make -s -j"$(nproc)" -f ../kvfarm/plan.mk --no-print-directory \
	-o scripts -o tools/objtool "$@" \
	RUSTC=/x/kvfarm/bin/rustc BINDGEN=/x/kvfarm/bin/bindgen HOSTRUSTC=rustc kvfarm-plan
find . -name '.*.cmd' | LC_ALL=C sort | while read -r f; do
	case $f in
	./rust/* | *.ll.cmd) grep -v -F '$(wildcard' "$f" ;;
	esac
done > kvfarm.plan
# The farm wants every output.
[ -e scripts/target.json ] || : > scripts/target.json
