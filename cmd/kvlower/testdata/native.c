// Runs a check as a program of the machine: native CHECK INPUT... with the
// inputs in the order in which the run asks for them, and says how it ended.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char **inputs;

static void end(const char *how) {
	puts(how);
	exit(0);
}

static unsigned __int128 next(void) {
	unsigned __int128 n = 0;
	if (!*inputs)
		end("inputs");
	for (const char *p = *inputs++; *p; p++)
		n = n * 10 + (unsigned)(*p - '0');
	return n;
}

uint8_t kvfarm_any_u8(void) { return next(); }
uint16_t kvfarm_any_u16(void) { return next(); }
uint32_t kvfarm_any_u32(void) { return next(); }
uint64_t kvfarm_any_u64(void) { return next(); }
unsigned __int128 kvfarm_any_u128(void) { return next(); }
size_t kvfarm_any_usize(void) { return next(); }
_Bool kvfarm_any_bool(void) { return next(); }

void kvfarm_any_bytes(uint8_t *p, size_t n) {
	for (size_t i = 0; i < n; i++)
		p[i] = next();
}

void kvfarm_assume(_Bool c) {
	if (!c)
		end("assume");
}

void kvfarm_panicked(uint32_t line) {
	printf("panicked %u\n", line);
	exit(0);
}

void *kmalloc(size_t n, uint32_t flags) { return next() ? NULL : malloc(n); }
void kfree(void *p) { free(p); }
void rust_eh_personality(void) {}

int main(int argc, char **argv) {
	char name[64];
	void (*check)(void);

	inputs = argv + 2;
	if (argc < 2)
		return 2;
	snprintf(name, sizeof(name), "check_%s", argv[1]);
	check = (void (*)(void))dlsym(RTLD_DEFAULT, name);
	if (!check)
		return 3;
	check();
	end("returned");
}
