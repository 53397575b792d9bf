// The boundary between Go and LLVM: bitcode files go in, one flat stream comes
// out (stream.h says how it is written). No LLVM type crosses it.
#ifndef KVLOWER_SHIM_H
#define KVLOWER_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint8_t *data; // malloc'd; the caller frees it
  size_t len;
  char *error; // malloc'd, or NULL when data is valid; the caller frees it
} kv_stream;

// kv_read links the n bitcode files in memory and writes the module. The debug
// information of the m files in types gives the types of parameters; of a function that
// several define the first one's counts.
kv_stream kv_read(const char **files, int n, const char **types, int m);

#ifdef __cplusplus
}
#endif
#endif
