// A copy of up to 32 bytes, compared at any place.
#include "kvfarm.h"

#ifndef N
#define N 32
#endif

void check_c08_copy(void)
{
	uint8_t from[N], to[N];
	for (uint32_t i = 0; i < N; i++)
		from[i] = kvfarm_any_u8();
	memset(to, 0, N);
	uint32_t n = kvfarm_any_u32(), at = kvfarm_any_u32();
	kvfarm_assume(n <= N && at < N);
	memcpy(to, from, n);
	kvfarm_assert(to[at] == (at < n ? from[at] : 0));
}
