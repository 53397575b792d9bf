// Products and quotients of 64-bit inputs.
#include "kvfarm.h"

static uint64_t muldiv(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t q = a / c, r = a % c;
	return add64(mul64(q, b), mul64(r, b) / c);
}

uint64_t check_c03_div(void)
{
	uint64_t a = kvfarm_any_u64(), b = kvfarm_any_u64(), c = kvfarm_any_u64();
	kvfarm_assume(c != 0 && c < 1 << 16 && a < 1 << 24 && b < 1 << 16);
	uint64_t v = muldiv(a, b, c);
	kvfarm_assert(v <= mul64(a, b));
	return v;
}
