// 64-bit sums and products that cannot overflow.
#include "kvfarm.h"

uint64_t check_c02_arith(void)
{
	uint64_t a = kvfarm_any_u64(), b = kvfarm_any_u64();
	uint32_t c = kvfarm_any_u32();
	kvfarm_assume(a < 1ull << 31 && b < 1ull << 32);
	uint64_t s = add64(mul64(a, b), c);
	return (s << (c % 64)) + 1;
}
