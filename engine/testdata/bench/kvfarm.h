/* What a check in C asks for, for kvfarm and for CBMC: the same file is proved by both. */
#ifndef KVFARM_H
#define KVFARM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef KVFARM_CBMC
uint8_t nondet_u8(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
#define kvfarm_any_u8 nondet_u8
#define kvfarm_any_u32 nondet_u32
#define kvfarm_any_u64 nondet_u64
#define kvfarm_assume(c) __CPROVER_assume(c)
#define kvfarm_assert(c) __CPROVER_assert(c, #c)
#else
uint8_t kvfarm_any_u8(void);
uint32_t kvfarm_any_u32(void);
uint64_t kvfarm_any_u64(void);
void kvfarm_assume(bool c);
void kvfarm_assert(bool c);
#endif

void *malloc(size_t n);
void free(void *p);
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int c, size_t n);

/* Sums and products that Rust checks. */
#define CHECKED(name, type, op)                              \
	static inline type name(type a, type b)              \
	{                                                    \
		type r;                                      \
		bool over = __builtin_##op##_overflow(a, b, &r); \
		kvfarm_assert(!over);                        \
		return r;                                    \
	}
CHECKED(add32, uint32_t, add)
CHECKED(add64, uint64_t, add)
CHECKED(sub64, uint64_t, sub)
CHECKED(mul64, uint64_t, mul)
#endif
