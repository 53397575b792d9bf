// A buffer is filled, then summed; each byte is what was put there.
#include "kvfarm.h"

#ifndef N
#define N 64
#endif

void check_fill(void)
{
	uint8_t buf[N];
	uint8_t x = kvfarm_any_u8();
	for (uint32_t i = 0; i < N; i++)
		buf[i] = x ^ (uint8_t)i;
	uint32_t sum = 0;
	for (uint32_t i = 0; i < N; i++)
		sum = add32(sum, buf[i]);
	kvfarm_assert(sum <= 255 * N);
	uint32_t at = kvfarm_any_u32();
	kvfarm_assume(at < N);
	kvfarm_assert(buf[at] == (x ^ (uint8_t)at));
}
