// Six pushes and pops of a vector whose allocations may fail.
#include "kvfarm.h"

struct kvec {
	uint32_t *p;
	size_t cap, len;
};

static bool grow(struct kvec *v)
{
	size_t cap = v->cap ? v->cap * 2 : 4;
	uint32_t *p = malloc(cap * 4);
	if (!p)
		return false;
	if (v->len > 0)
		memcpy(p, v->p, v->len * 4);
	free(v->p);
	v->p = p;
	v->cap = cap;
	return true;
}

static bool push(struct kvec *v, uint32_t x)
{
	if (v->len == v->cap && !grow(v))
		return false;
	v->p[v->len++] = x;
	return true;
}

void check_c07_kvec(void)
{
	struct kvec v = {NULL, 0, 0};
	size_t n = 0;
	for (int i = 0; i < 6; i++) {
		if (kvfarm_any_u8() & 1) {
			if (v.len > 0) {
				v.len--;
				n--;
			}
		} else if (push(&v, kvfarm_any_u32())) {
			n++;
		} else {
			break;
		}
		kvfarm_assert(v.len == n);
	}
	uint32_t i = kvfarm_any_u32();
	volatile uint32_t seen = i < n ? v.p[i] : 0;
	(void)seen;
	free(v.p);
}
