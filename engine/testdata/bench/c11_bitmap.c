// The first free bit of 128 is taken, no other changes.
#include "kvfarm.h"

static uint32_t take(uint64_t *words)
{
	for (uint32_t w = 0; w < 2; w++)
		for (uint32_t b = 0; b < 64; b++)
			if (!(words[w] >> b & 1)) {
				words[w] |= 1ull << b;
				return w * 64 + b;
			}
	return 128;
}

static uint32_t weight(const uint64_t *words)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < 128; i++)
		n += words[i / 64] >> (i % 64) & 1;
	return n;
}

void check_c11_bitmap(void)
{
	uint64_t words[2] = {kvfarm_any_u64(), kvfarm_any_u64()};
	uint64_t before[2] = {words[0], words[1]};
	uint32_t n = weight(words), i = take(words);
	if (i == 128) {
		kvfarm_assert(n == 128);
		return;
	}
	kvfarm_assert(!(before[i / 64] >> (i % 64) & 1));
	kvfarm_assert(words[i / 64] >> (i % 64) & 1);
	uint32_t at = kvfarm_any_u32();
	kvfarm_assume(at < 128 && at != i);
	kvfarm_assert((words[at / 64] >> (at % 64) & 1) == (before[at / 64] >> (at % 64) & 1));
}
