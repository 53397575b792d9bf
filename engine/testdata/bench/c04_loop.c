// Sum and greatest of up to 16 bytes.
#include "kvfarm.h"

#ifndef N
#define N 16
#endif

void check_c04_loop(void)
{
	uint8_t buf[N];
	for (uint32_t i = 0; i < N; i++)
		buf[i] = kvfarm_any_u8();
	uint32_t n = kvfarm_any_u32();
	kvfarm_assume(n <= N);
	uint32_t t = 0;
	uint8_t m = 0;
	for (uint32_t i = 0; i < n; i++) {
		t = add32(t, buf[i]);
		if (buf[i] > m)
			m = buf[i];
	}
	kvfarm_assert(t <= 255 * n);
	kvfarm_assert(n == 0 || t >= m);
}
