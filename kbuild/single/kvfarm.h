/* What a written check in C is made of: inputs that may be anything,
 * assumptions about them, and statements that must hold.
 *
 * A check is a function `void check_NAME(void)`. It is proved for all inputs at
 * once and run with the one input that makes it fail. */
#ifndef KVFARM_H
#define KVFARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool kvfarm_any_bool(void);
uint8_t kvfarm_any_u8(void);
uint16_t kvfarm_any_u16(void);
uint32_t kvfarm_any_u32(void);
uint64_t kvfarm_any_u64(void);
unsigned __int128 kvfarm_any_u128(void);
size_t kvfarm_any_usize(void);

/* Makes the len bytes at p any bytes. */
void kvfarm_any_bytes(void *p, size_t len);

/* Leaves out the inputs for which the condition does not hold. */
void kvfarm_assume(bool condition);

/* States that the condition holds for all inputs. */
void kvfarm_assert(bool condition);

#endif
