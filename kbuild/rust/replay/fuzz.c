// SPDX-License-Identifier: GPL-2.0
//
// The half of harness.c that looks for an input that fails: every run is a
// child, so that none sees what another left behind. A run that takes a new way
// through the code joins the corpus, of whose members later ones are mutations.
// The same seed gives the same runs.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>

enum { MOST = 4096, CORPUS = 512, PATHS = 1 << 16, WORDS = 256 };

struct run {
	unsigned n;
	struct { u128 value; uint8_t bits; bool fail; } in[MOST];
};

// shared is what a child tells its parent.
static struct shared {
	struct run now;
	uint64_t path, steps;
	unsigned words;
	uint64_t word[WORDS]; // that the code compared something with
} *shared;

static struct run *base; // that this run is a mutation of; NULL: of none
static unsigned changed; // input of base that it is to change, others by chance
static uint64_t chance;

static uint64_t roll(void)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return chance * 0x2545f4914f6cdd1dull;
}

// fresh_value has the limits of things, and what the code compares with, more
// often than chance would have them.
static u128 fresh_value(unsigned bits)
{
	u128 any = (u128)roll() << 64 | roll(), top = (u128)1 << (bits - 1);

	switch (roll() >> 61) {
	case 0:
		return roll() >> 60;
	case 1:
		return (roll() & 1 ? top : 0) - (roll() & 1);
	case 2:
		return ((u128)1 << (roll() >> 32) % bits) + (roll() >> 62) - 1;
	case 3:
	case 4:
		if (shared->words)
			return (u128)shared->word[(roll() >> 32) % shared->words % WORDS] + (roll() >> 62) - 1;
		// fall through
	default:
		return any >> (roll() >> 32) % bits;
	}
}

static u128 draw(const char *kind, unsigned bits)
{
	unsigned i = asked++;
	bool fail = *kind == 'f';
	u128 v;

	if (i == MOST)
		stop(INPUT);
	if (base && i < base->n && base->in[i].bits == bits && i != changed && roll() >> 59)
		v = base->in[i].value;
	else if (fail)
		v = !(roll() >> 60);
	else
		v = fresh_value(bits);
	if (bits < 128)
		v &= ((u128)1 << bits) - 1;
	shared->now.in[i].value = v;
	shared->now.in[i].bits = bits;
	shared->now.in[i].fail = fail;
	shared->now.n = i + 1;
	return v;
}

// The compiler calls these at every edge and comparison of the check.
void K(__sanitizer_cov_trace_pc_guard_init)(uint32_t *from, uint32_t *to) { (void)from, (void)to; }

void K(__sanitizer_cov_trace_pc_guard)(uint32_t *edge)
{
	if (!shared)
		return;
	shared->path = (shared->path ^ (uintptr_t)edge) * 0x100000001b3ull;
	if (++shared->steps > 10000000)
		stop(INPUT); // it may never end
}

static void compared(uint64_t with)
{
	if (shared && with > 16)
		shared->word[shared->words++ % WORDS] = with;
}

#define COMPARES(n, t)                                                                              \
	void K(__sanitizer_cov_trace_cmp##n)(t a, t b) { compared(a), compared(b); }                \
	void K(__sanitizer_cov_trace_const_cmp##n)(t a, t b) { compared(a), (void)b; }
COMPARES(1, uint8_t)
COMPARES(2, uint16_t)
COMPARES(4, uint32_t)
COMPARES(8, uint64_t)

void K(__sanitizer_cov_trace_switch)(uint64_t v, uint64_t *cases)
{
	(void)v;
	for (uint64_t i = 0; i < cases[0]; i++)
		compared(cases[2 + i]);
}

// once makes one run and returns how it ended.
static int once(void)
{
	int status;
	pid_t child;

	shared->now.n = 0;
	shared->path = shared->steps = 0;
	roll();
	child = fork();
	if (child == 0) {
		chance *= 0x9e3779b97f4a7c15ull; // far from where the next child begins
		K(CHECK)();
		stop(OK);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("fuzz");
		_exit(2);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : CRASH;
}

static bool failed(int code) { return code == ASSERT || code == PANIC || code == CRASH; }

static void write_inputs(const struct run *r, FILE *to)
{
	for (unsigned i = 0; i < r->n; i++) {
		char digits[40], *d = digits + sizeof(digits);
		u128 v = r->in[i].value;

		*--d = 0;
		do
			*--d = '0' + (int)(v % 10);
		while (v /= 10);
		fprintf(to, "%s#%u %u %s\n", r->in[i].fail ? "fail" : "any", i, r->in[i].bits, d);
	}
}

// still has the program begin again at addresses that are always the same: what
// it compares may be pointers. Where that is refused, so be it.
static void still(char **argv)
{
	int now = personality(0xffffffff);

	if (now >= 0 && !(now & ADDR_NO_RANDOMIZE) && personality(now | ADDR_NO_RANDOMIZE) >= 0)
		execv(argv[0], argv);
}

// fuzz makes runs until one fails, and writes its inputs to a file. What it
// says goes to the standard output.
static int fuzz(uint64_t seed, unsigned long runs, const char *file)
{
	static struct run *corpus[CORPUS];
	static bool seen[PATHS];
	unsigned long kept = 0, rejected = 0, missing = 0;
	int out = dup(1);

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || out < 0 || !freopen("/dev/null", "w", stdout))
		return 2;
	chance = seed * 2 + 1;
	for (unsigned long i = 0; i < runs; i++) {
		base = kept && roll() >> 62 ? corpus[(roll() >> 32) % (kept < CORPUS ? kept : CORPUS)] : NULL;
		changed = base && base->n ? (roll() >> 32) % base->n : 0;
		int code = once();

		if (failed(code)) {
			FILE *to = fopen(file, "w");

			if (!to)
				return 2;
			write_inputs(&shared->now, to);
			dprintf(out, "%lu\n", i + 1);
			return fclose(to) ? 2 : code;
		}
		rejected += code == ASSUME;
		missing += code == MISSING;
		bool *new = &seen[(shared->path ^ shared->path >> 32) % PATHS];
		if (code == OK && !*new) {
			struct run **slot = &corpus[kept++ % CORPUS];

			*new = true;
			if (!*slot && !(*slot = malloc(sizeof(**slot))))
				return 2;
			memcpy(*slot, &shared->now, sizeof(**slot));
		}
	}
	dprintf(out, "OK %lu runs, %lu ways through", runs, kept);
	if (rejected)
		dprintf(out, ", %lu outside of what it assumes", rejected);
	if (missing)
		dprintf(out, ", %lu stopped at missing functions", missing);
	dprintf(out, "\n");
	return OK;
}
