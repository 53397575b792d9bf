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
// Decode. The debug information of types gives the types of parameters, the first
// that defines a function of that one's. LLVM may end the process on input that it cannot bear:
// call Read in a process of its own.
func Read(files, types []string) ([]byte, error) {
	names, free := cStrings(files)
	defer free()
	typed, freeTyped := cStrings(types)
	defer freeTyped()
	s := C.kv_read(unsafe.SliceData(names), C.int(len(names)), unsafe.SliceData(typed), C.int(len(typed)))
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

// cStrings copies strings to C; free gives them back.
func cStrings(texts []string) (out []*C.char, free func()) {
	for _, t := range texts {
		out = append(out, C.CString(t))
	}
	return out, func() {
		for _, c := range out {
			C.free(unsafe.Pointer(c))
		}
	}
}
