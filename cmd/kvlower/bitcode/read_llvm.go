//go:build llvm

package bitcode

/*
#cgo CXXFLAGS: -std=c++17 -fno-exceptions -O2 -I/usr/lib/llvm-22/include
#cgo LDFLAGS: -L/usr/lib/llvm-22/lib -lLLVM-22
#include "shim.h"
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// maxStream is the largest stream in bytes that is taken over from C.
const maxStream = 1 << 30

// Read links the bitcode files in memory and returns the module as a stream for
// Decode. types is the file whose debug information gives the types of
// parameters, or empty. LLVM may end the process on input that it cannot bear:
// call Read in a process of its own.
func Read(files []string, types string) ([]byte, error) {
	names := make([]*C.char, len(files))
	for i, f := range files {
		names[i] = C.CString(f)
		defer C.free(unsafe.Pointer(names[i]))
	}
	var typed *C.char
	if types != "" {
		typed = C.CString(types)
		defer C.free(unsafe.Pointer(typed))
	}
	s := C.kv_read(unsafe.SliceData(names), C.int(len(names)), typed)
	defer C.free(unsafe.Pointer(s.data))
	defer C.free(unsafe.Pointer(s.error))
	if s.error != nil {
		return nil, errors.New(C.GoString(s.error))
	}
	if s.len > maxStream {
		return nil, fmt.Errorf("stream of %d bytes is larger than %d", s.len, maxStream)
	}
	return C.GoBytes(unsafe.Pointer(s.data), C.int(s.len)), nil
}
