# Makes o/.config: the architecture's default configuration with a fragment on top.
set -e
mkdir -p o
cd o
make -s -j"$(nproc)" -f ../kvfarm/config.mk --no-print-directory kvfarmconfig
if ! grep -q '^CONFIG_RUST=y$' .config; then
	# Say what the kernel itself thinks of the tools.
	make -s -f ../Makefile --no-print-directory rustavailable >&2 || true
fi
