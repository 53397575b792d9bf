// A number in a text of up to 8 bytes or N, with sign, base and separators.
#include "kvfarm.h"

#ifdef N
#define MOST N
#define LEAST -(1ll << 32) // sign and base leave room for eight digits
#else
#define MOST 8
#define LEAST -100000000
#endif

static bool digit(uint8_t c, uint32_t base, uint32_t *d)
{
	if (c >= '0' && c <= '9')
		*d = c - '0';
	else if (c >= 'a' && c <= 'f')
		*d = c - 'a' + 10;
	else
		return false;
	return *d < base;
}

static bool parse(const uint8_t *s, uint32_t n, int64_t *out)
{
	uint32_t at = 0, base = 10, digits = 0;
	uint64_t v = 0;
	bool minus = false;
	if (at < n && (s[at] == '-' || s[at] == '+'))
		minus = s[at++] == '-';
	if (at + 1 < n && s[at] == '0' && s[at + 1] == 'x') {
		base = 16;
		at += 2;
	}
	for (; at < n; at++) {
		uint32_t d;
		if (s[at] == '_' && digits > 0)
			continue;
		if (!digit(s[at], base, &d))
			return false;
#if MOST > 8
		if (digits == 8) // as many as there are in 8 bytes
			return false;
#endif
		v = add64(mul64(v, base), d);
		digits++;
	}
	*out = minus ? -(int64_t)v : (int64_t)v;
	return digits > 0;
}

void check_c09_parse(void)
{
	uint8_t text[MOST];
	for (int i = 0; i < MOST; i++)
		text[i] = kvfarm_any_u8();
	uint32_t n = kvfarm_any_u32();
	kvfarm_assume(n <= MOST);
	int64_t v;
	if (parse(text, n, &v))
		kvfarm_assert(v > LEAST && v < 1ll << 32);
}
