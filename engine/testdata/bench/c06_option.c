// Six steps of a state machine.
#include "kvfarm.h"

enum tag { IDLE, RUN, DONE };
struct state {
	enum tag tag;
	uint32_t n;
	int32_t code;
};

static bool step(const struct state *s, uint32_t e, struct state *next)
{
	*next = *s;
	switch (s->tag) {
	case IDLE:
		next->tag = RUN;
		next->n = e >> 2;
		return (e & 3) == 0;
	case RUN:
		if ((e & 3) == 1 && s->n > 0) {
			next->n = s->n - 1;
			return true;
		}
		next->tag = DONE;
		if ((e & 3) == 2 && s->n == 0) {
			next->code = 0;
			return true;
		}
		next->code = -(int32_t)(s->n & 0xff);
		return (e & 3) == 3;
	default:
		return false;
	}
}

void check_c06_option(void)
{
	struct state s = {IDLE, 0, 0};
	for (int i = 0; i < 6; i++) {
		struct state next;
		if (step(&s, kvfarm_any_u32(), &next))
			s = next;
	}
	if (s.tag == DONE)
		kvfarm_assert(s.code <= 0);
	if (s.tag == RUN)
		kvfarm_assert(s.n < 0x40000000);
}
