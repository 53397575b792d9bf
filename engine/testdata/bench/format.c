// A number in decimal, padded, into a buffer that may be short; nothing is written past it.
#include "kvfarm.h"

#define ROOM 24

static uint32_t format(uint8_t *to, uint32_t room, uint32_t v, uint32_t width, uint8_t pad)
{
	uint8_t digits[10];
	uint32_t n = 0, out = 0;
	do {
		digits[n++] = '0' + v % 10;
		v /= 10;
	} while (v != 0);
	for (; width > n; width--)
		if (out < room)
			to[out++] = pad;
	while (n > 0) {
		n--;
		if (out < room)
			to[out++] = digits[n];
	}
	return out;
}

void check_format(void)
{
	uint8_t buf[ROOM];
	memset(buf, 0xaa, ROOM);
	uint32_t room = kvfarm_any_u32(), width = kvfarm_any_u32(), v = kvfarm_any_u32();
	kvfarm_assume(room <= 16 && width <= 16);
	uint32_t n = format(buf, room, v, width, '0');
	kvfarm_assert(n <= room);
	for (uint32_t i = 0; i < ROOM; i++)
		kvfarm_assert(i < n ? buf[i] >= '0' && buf[i] <= '9' : buf[i] == 0xaa);
}
