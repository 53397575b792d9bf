// Four operations of a range allocator kept as a sorted array, as binder's is.
#include "kvfarm.h"

#define MOST 4

struct range {
	uint64_t offset, size;
	bool oneway;
};

struct alloc {
	struct range ranges[MOST];
	uint32_t len;
	uint64_t size, oneway_space;
};

static uint64_t endpoint(const struct alloc *a, uint32_t i) { return add64(a->ranges[i].offset, a->ranges[i].size); }

static bool find_empty(const struct alloc *a, uint64_t want, uint32_t *at, uint64_t *offset)
{
	uint64_t last = a->len ? endpoint(a, a->len - 1) : 0;
	if (want <= sub64(a->size, last)) {
		*at = a->len;
		*offset = last;
		return true;
	}
	uint64_t end = 0;
	for (uint32_t i = 0; i < a->len; i++) {
		if (want <= sub64(a->ranges[i].offset, end)) {
			*at = i;
			*offset = end;
			return true;
		}
		end = endpoint(a, i);
	}
	return false;
}

static bool reserve(struct alloc *a, uint64_t want, bool oneway, uint64_t *offset)
{
	uint32_t at;
	if (a->len == MOST || oneway && want > a->oneway_space)
		return false;
	if (!find_empty(a, want, &at, offset))
		return false;
	if (oneway)
		a->oneway_space = sub64(a->oneway_space, want);
	for (uint32_t i = a->len; i > at; i--)
		a->ranges[i] = a->ranges[i - 1];
	a->ranges[at] = (struct range){*offset, want, oneway};
	a->len++;
	return true;
}

static bool release(struct alloc *a, uint64_t offset)
{
	uint32_t i = 0;
	while (i < a->len && a->ranges[i].offset != offset)
		i++;
	if (i == a->len)
		return false;
	if (a->ranges[i].oneway)
		a->oneway_space = add64(a->oneway_space, a->ranges[i].size);
	for (a->len--; i < a->len; i++)
		a->ranges[i] = a->ranges[i + 1];
	return true;
}

static void invariant(const struct alloc *a)
{
	uint64_t end = 0;
	for (uint32_t i = 0; i < a->len; i++) {
		kvfarm_assert(a->ranges[i].offset >= end);
		end = endpoint(a, i);
	}
	kvfarm_assert(end <= a->size);
	kvfarm_assert(a->oneway_space <= a->size / 2);
}

void check_rangealloc(void)
{
	struct alloc a = {.size = kvfarm_any_u64()};
	a.oneway_space = a.size / 2;
	for (int i = 0; i < 4; i++) {
		uint64_t x = kvfarm_any_u64();
		uint8_t op = kvfarm_any_u8();
		if (op & 1)
			reserve(&a, x, op & 2, &x);
		else
			release(&a, x);
		invariant(&a);
	}
}
