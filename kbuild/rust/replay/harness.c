// SPDX-License-Identifier: GPL-2.0
//
// Runs one written check as an ordinary program, with inputs from a file.
//
//	replay INPUTS
//	replay SEED RUNS INPUTS     looks for INPUTS that fail: fuzz.c
//
// INPUTS holds one input a line: name, width in bits, value in decimal; "any#N"
// and "fail#N" in the order in which the run asks for them. The first line of
// the output says how the run ended, and the exit code says it too:
//
//	0 OK                      the check returned
//	10 ASSERT 0xADDRESS       kvfarm_assert(false), called before that address
//	11 PANIC file:line:col: message
//	12 ASSUME                 the inputs do not belong to the check
//	13 MISSING symbol         the kernel's C code is not here
//	14 INPUT name             the inputs do not fit what the run asks for
//	15 CRASH signal address
//
// Everything that is not defined here is an address in a range that is never
// mapped (missing.s), so that a call or an access is seen and named.

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned __int128 u128;

// The check's symbols, defined or not, carry a prefix: its malloc is not ours.
#define GLUE(prefix, name) prefix##name
#define K(name) GLUE(k_, name)

extern void K(CHECK)(void);
extern char *K(rust_fmt_argument)(char *buf, char *end, const void *args) __attribute__((weak)); // the kernel's
extern const char kvfarm_missing_names[]; // one after the other, the last one empty

enum { OK = 0, ASSERT = 10, PANIC, ASSUME, MISSING, INPUT, CRASH };

#define MISSING_BASE 1879048192ul // as in missing.awk
#define MISSING_STEP 4096ul

static FILE *inputs;
static unsigned asked;

static _Noreturn void stop(int code)
{
	fflush(stdout);
	_exit(code);
}

#include "fuzz.c"

// next reads the next input, which must be of this kind and width.
static u128 next(const char *kind, unsigned bits)
{
	if (shared)
		return draw(kind, bits);

	char name[256], value[64], want[32];
	unsigned width;
	u128 v = 0;

	snprintf(want, sizeof(want), "%s#%u", kind, asked++);
	for (;;) {
		if (fscanf(inputs, "%255s %u %63s", name, &width, value) != 3)
			name[0] = 0;
		const char *a = name, *b = want;
		while (*a && *a == *b)
			a++, b++;
		if (*a || *b || width != bits) {
			printf("INPUT %s of %u bits is wanted, %s is there\n", want, bits, name);
			stop(INPUT);
		}
		for (const char *d = value; *d; d++)
			v = v * 10 + (unsigned)(*d - '0');
		return v;
	}
}

bool K(kvfarm_any_bool)(void) { return next("any", 1); }
uint8_t K(kvfarm_any_u8)(void) { return next("any", 8); }
uint16_t K(kvfarm_any_u16)(void) { return next("any", 16); }
uint32_t K(kvfarm_any_u32)(void) { return next("any", 32); }
uint64_t K(kvfarm_any_u64)(void) { return next("any", 64); }
uint64_t K(kvfarm_any_usize)(void) { return next("any", 64); }
u128 K(kvfarm_any_u128)(void) { return next("any", 128); }

void K(kvfarm_any_bytes)(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = next("any", 8);
}

void K(kvfarm_assume)(bool condition)
{
	if (!condition) {
		puts("ASSUME");
		stop(ASSUME);
	}
}

void K(kvfarm_assert)(bool condition)
{
	if (!condition) {
		printf("ASSERT %p\n", __builtin_return_address(0));
		stop(ASSERT);
	}
}

// _printk is called by the kernel crate's own panic handler: it says what
// happened in the words of core::panic::PanicInfo. Other messages are dropped.
static char message[4096];

int K(_printk)(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	for (const char *f = format; *f; f++) {
		if (*f != '%')
			continue;
		if (*++f == 's') {
			(void)va_arg(ap, const char *);
		} else if (*f == 'p' && *++f == 'A') {
			char *end = K(rust_fmt_argument)(message, message + sizeof(message) - 1, va_arg(ap, void *));
			*(end < message + sizeof(message) ? end : message + sizeof(message) - 1) = 0;
		} else {
			break;
		}
	}
	va_end(ap);
	return 0;
}

// say prints the message of a panic as one line.
static _Noreturn void say(char *m)
{
	static const char start[] = "panicked at ";
	unsigned i = 0;

	while (start[i] && m[i] == start[i])
		i++;
	if (!start[i])
		m += i;
	for (char *c = m; *c; c++)
		if (*c == '\n')
			*c = c[1] ? ' ' : 0;
	printf("PANIC %s\n", m);
	stop(PANIC);
}

// rust_helper_BUG ends the kernel's panic handler.
_Noreturn void K(rust_helper_BUG)(void) { say(message); }

// kvfarm_panicked ends ours, for checks that are no part of a kernel.
_Noreturn void K(kvfarm_panicked)(const char *text, size_t len)
{
	for (size_t i = 0; i < len && i < sizeof(message) - 1; i++)
		message[i] = text[i];
	say(message);
}

// What a check may call of C: memory and strings, with the behaviour of the
// kernel's, and its allocators. fail#N says which allocation fails.

void *K(memcpy)(void *restrict to, const void *restrict from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

void *K(memmove)(void *to, const void *from, size_t n)
{
	if ((uintptr_t)to <= (uintptr_t)from)
		return K(memcpy)(to, from, n);
	while (n--)
		((volatile char *)to)[n] = ((const char *)from)[n];
	return to;
}

void *K(memset)(void *p, int c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)p)[i] = c;
	return p;
}

int K(memcmp)(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

int K(bcmp)(const void *a, const void *b, size_t n) { return K(memcmp)(a, b, n); }

size_t K(strlen)(const char *s)
{
	const volatile char *p = s;

	while (*p)
		p++;
	return p - s;
}

#define GFP_ZERO 0x100u
#define ZERO_SIZE_PTR ((void *)16)

struct header {
	size_t size;
	void *block;
};

static struct header *header(void *p) { return (struct header *)p - 1; }

void K(kfree)(void *p)
{
	if (p && p != ZERO_SIZE_PTR)
		free(header(p)->block);
}

// fresh makes memory that may be anything, or null if the witness says so.
static void *fresh(size_t size, size_t align)
{
	char *block, *p;

	if (next("fail", 1))
		return NULL;
	if (align < sizeof(struct header))
		align = sizeof(struct header);
	if (size > SIZE_MAX - align - sizeof(struct header) ||
	    !(block = malloc(size + align + sizeof(struct header)))) {
		puts("INPUT no memory");
		stop(INPUT);
	}
	p = (char *)(((uintptr_t)block + sizeof(struct header) + align - 1) & ~(align - 1));
	*header(p) = (struct header){ size, block };
	K(memset)(p, 0xa5, size);
	return p;
}

// regrow moves old, which may be null, to memory of size bytes.
static void *regrow(void *old, size_t size, size_t align, bool zero)
{
	char *p = fresh(size, align);

	if (!p)
		return NULL;
	if (zero)
		K(memset)(p, 0, size);
	if (old && old != ZERO_SIZE_PTR) {
		K(memcpy)(p, old, header(old)->size < size ? header(old)->size : size);
		K(kfree)(old);
	}
	return p;
}

void *K(krealloc_node_align_noprof)(void *old, size_t size, unsigned long align, unsigned flags, int node)
{
	(void)node;
	if (!size) {
		K(kfree)(old);
		return ZERO_SIZE_PTR;
	}
	return regrow(old, size, align, flags & GFP_ZERO);
}

void *K(krealloc)(void *old, size_t size, unsigned flags) { return K(krealloc_node_align_noprof)(old, size, 1, flags, 0); }

void *K(kmalloc)(size_t size, unsigned flags) { return regrow(NULL, size, 1, flags & GFP_ZERO); }

void *K(vmalloc)(size_t size) { return fresh(size, 1); }

void *K(malloc)(size_t size) { return fresh(size, 1); }

void *K(calloc)(size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size) {
		next("fail", 1);
		return NULL;
	}
	return regrow(NULL, n * size, 1, true);
}

void *K(realloc)(void *old, size_t size) { return regrow(old, size, 1, false); }

void K(free)(void *p) { K(kfree)(p); }

_Noreturn void K(exit)(int code)
{
	(void)code;
	puts("OK");
	stop(OK);
}

_Noreturn void K(abort)(void)
{
	printf("CRASH %d (nil)\n", SIGABRT);
	stop(CRASH);
}

_Noreturn void K(__assert_fail)(const char *text, const char *file, unsigned line, const char *function)
{
	(void)text, (void)file, (void)line, (void)function;
	printf("ASSERT %p\n", __builtin_return_address(0));
	stop(ASSERT);
}

// What code becomes calls of where the machine has no instruction.
u128 K(__udivti3)(u128 a, u128 b) { return a / b; }
u128 K(__umodti3)(u128 a, u128 b) { return a % b; }
__int128 K(__divti3)(__int128 a, __int128 b) { return a / b; }
__int128 K(__modti3)(__int128 a, __int128 b) { return a % b; }

#define ALIAS(to, from) __asm__(".globl k_" #from "\n.set k_" #from ", k_" #to)
ALIAS(krealloc_node_align_noprof, vrealloc_node_align_noprof);
ALIAS(krealloc_node_align_noprof, kvrealloc_node_align_noprof);
ALIAS(krealloc_node_align_noprof, rust_helper_krealloc_node_align);
ALIAS(krealloc_node_align_noprof, rust_helper_vrealloc_node_align);
ALIAS(krealloc_node_align_noprof, rust_helper_kvrealloc_node_align);
ALIAS(krealloc, rust_helper_krealloc); // 6.12
ALIAS(krealloc, rust_helper_vrealloc);
ALIAS(krealloc, rust_helper_kvrealloc);
ALIAS(exit, _exit);
ALIAS(exit, _Exit);
ALIAS(kfree, vfree);
ALIAS(kfree, kvfree);
ALIAS(kfree, rust_helper_kfree);
ALIAS(kfree, rust_helper_vfree);
ALIAS(kfree, rust_helper_kvfree);

// The kernel's functions return and call pointers through thunks.
__asm__(".globl k___x86_return_thunk\nk___x86_return_thunk: ret");
#define THUNK(r) __asm__(".globl k___x86_indirect_thunk_" #r "\nk___x86_indirect_thunk_" #r ": jmp *%" #r);
THUNK(rax) THUNK(rcx) THUNK(rdx) THUNK(rbx) THUNK(rbp) THUNK(rsi) THUNK(rdi)
THUNK(r8) THUNK(r9) THUNK(r10) THUNK(r11) THUNK(r12) THUNK(r13) THUNK(r14) THUNK(r15)

static void crash(int sig, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;
	const char *name = kvfarm_missing_names;

	(void)context;
	if (sig == SIGSEGV && at >= MISSING_BASE) {
		for (uintptr_t i = (at - MISSING_BASE) / MISSING_STEP; i && *name; i--)
			name += strlen(name) + 1;
		if (*name) {
			printf("MISSING %s\n", name);
			stop(MISSING);
		}
	}
	printf("CRASH %d %p\n", sig, info->si_addr);
	stop(CRASH);
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_sigaction = crash, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };

	if (argc != 4 && (argc != 2 || !(inputs = fopen(argv[1], "r")))) {
		fprintf(stderr, "usage: replay INPUTS\n       replay SEED RUNS INPUTS\n");
		return 2;
	}
	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	sigaction(SIGILL, &act, NULL);
	sigaction(SIGFPE, &act, NULL);
	if (argc == 4) {
		still(argv);
		return fuzz(strtoull(argv[1], NULL, 10), strtoul(argv[2], NULL, 10), argv[3]);
	}
	K(CHECK)();
	puts("OK");
	stop(OK);
}
