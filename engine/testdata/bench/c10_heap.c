// N values through a binary heap come out in order.
#include "kvfarm.h"

#ifndef N
#define N 5
#endif

struct heap {
	uint32_t len;
	uint8_t at[N];
};

static void swap(struct heap *h, uint32_t i, uint32_t j)
{
	uint8_t t = h->at[i];
	h->at[i] = h->at[j];
	h->at[j] = t;
}

static void push(struct heap *h, uint8_t x)
{
	uint32_t i = h->len++;
	h->at[i] = x;
	while (i > 0 && h->at[(i - 1) / 2] > h->at[i]) {
		swap(h, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static uint8_t pop(struct heap *h)
{
	uint8_t top = h->at[0];
	h->at[0] = h->at[--h->len];
	for (uint32_t i = 0;;) {
		uint32_t child = 2 * i + 1;
		if (child >= h->len)
			break;
		if (child + 1 < h->len && h->at[child + 1] < h->at[child])
			child++;
		if (h->at[i] <= h->at[child])
			break;
		swap(h, i, child);
		i = child;
	}
	return top;
}

void check_c10_heap(void)
{
	struct heap h = {0};
	for (int i = 0; i < N; i++)
		push(&h, kvfarm_any_u8());
	uint8_t last = 0;
	for (int i = 0; i < N; i++) {
		uint8_t x = pop(&h);
		kvfarm_assert(last <= x);
		last = x;
	}
}
