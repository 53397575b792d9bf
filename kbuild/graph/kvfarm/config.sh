# Makes o/.config: the architecture's default configuration with a fragment on top.
set -e
mkdir -p o
cd o
# Its warnings tell of every line of the fragment that overrides a default.
make -s -j"$(nproc)" -f ../kvfarm/config.mk --no-print-directory kvfarmconfig 2> log || { cat log >&2; exit 1; }
if ! grep -q '^CONFIG_RUST=y$' .config; then
	# Say what the kernel itself thinks of the tools.
	make -s -f ../Makefile --no-print-directory rustavailable > log 2>&1 || cat log >&2
fi
