// A C face for CaDiCaL's C++ API that counts conflicts and takes many clauses
// per call, which CaDiCaL's own C face does not.
#ifndef KVFARM_CADICAL_H
#define KVFARM_CADICAL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kv_cadical kv_cadical;

kv_cadical *kv_cadical_new(void);
void kv_cadical_free(kv_cadical *);

// Adds clauses: n literals, a 0 after each clause.
void kv_cadical_add(kv_cadical *, const int32_t *lits, int64_t n);

// Solves under n assumptions within a budget of conflicts. Returns 10 (sat),
// 20 (unsat) or 0, and sets *conflicts to how many were used.
int kv_cadical_solve(kv_cadical *, const int32_t *assumptions, int64_t n, int budget, int64_t *conflicts);

int kv_cadical_value(kv_cadical *, int32_t lit);  // after sat: 1 if lit holds
int kv_cadical_failed(kv_cadical *, int32_t lit); // after unsat: 1 if assumption lit was needed

// Solves a formula in DIMACS and writes an LRAT proof to a file. Returns 10, 20,
// 0 or, if one of the files cannot be opened, -1.
int kv_cadical_prove(const char *formula, int budget, const char *proof);

#ifdef __cplusplus
}
#endif

#endif
