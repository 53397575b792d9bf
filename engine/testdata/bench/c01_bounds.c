// Fails: a table of 8 is read at 8 or 9.
#include "kvfarm.h"

static const uint32_t table[8] = {1, 2, 4, 8, 16, 32, 64, 128};

uint32_t check_c01_bounds(void)
{
	uint32_t i = kvfarm_any_u32();
	kvfarm_assume(i < 10);
	return table[i];
}
