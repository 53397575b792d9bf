// Three calls through a table of operations.
#include "kvfarm.h"

struct op {
	bool (*run)(uint32_t self, uint32_t x, uint32_t *out, int32_t *err);
	uint32_t self;
};

static bool run_add(uint32_t self, uint32_t x, uint32_t *out, int32_t *err)
{
	*err = -34;
	return !__builtin_add_overflow(x, self, out);
}

static bool run_mul(uint32_t self, uint32_t x, uint32_t *out, int32_t *err)
{
	*err = -34;
	return !__builtin_mul_overflow(x, self, out);
}

static bool run_neg(uint32_t self, uint32_t x, uint32_t *out, int32_t *err)
{
	*err = -22;
	*out = x ^ 1;
	return x <= 0x7fffffff;
}

void check_c05_dyn(void)
{
	struct op ops[3] = {{run_add, kvfarm_any_u32()}, {run_mul, kvfarm_any_u32()}, {run_neg, 0}};
	uint32_t x = kvfarm_any_u32();
	for (int i = 0; i < 3; i++) {
		uint32_t k = kvfarm_any_u32(), v;
		int32_t err;
		kvfarm_assume(k < 3);
		if (!ops[k].run(ops[k].self, x, &v, &err)) {
			kvfarm_assert(err == -34 || err == -22);
			return;
		}
		x = v;
	}
}
