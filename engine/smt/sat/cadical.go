//go:build cadical

package sat

// #cgo CXXFLAGS: -O2 -std=c++17
// #cgo LDFLAGS: -lcadical
// #include <stdlib.h>
// #include "cadical.h"
import "C"

import (
	"fmt"
	"math"
	"runtime"
	"unsafe"
)

// Backend names what New makes.
const Backend = "cadical"

// cadical keeps clauses until the next Solve, so that handing them over is one call.
type cadical struct {
	s       *C.kv_cadical
	cleanup runtime.Cleanup
	lits    []Lit
	known   Lit // variables up to this one exist
	last    Result
}

// Quick makes a backend for queries that take few conflicts: CaDiCaL takes longer to
// be told of a clause than most of them take to be decided.
var Quick = NewCDCL

// New returns the default backend.
func New() Solver {
	s := &cadical{s: C.kv_cadical_new()}
	s.cleanup = runtime.AddCleanup(s, func(p *C.kv_cadical) { C.kv_cadical_free(p) }, s.s)
	return s
}

// Release frees the memory at once: the garbage collector does not know how
// much hangs on so small an object.
func (s *cadical) Release() {
	s.cleanup.Stop()
	C.kv_cadical_free(s.s)
	s.s = nil
}

func (s *cadical) AddClause(lits ...Lit) {
	s.lits = append(append(s.lits, lits...), 0)
	s.mention(lits)
}

func (s *cadical) mention(lits []Lit) {
	for _, l := range lits {
		s.known = max(s.known, l, -l)
	}
}

func (s *cadical) Solve(budget int64, assumptions ...Lit) (Result, int64) {
	if len(s.lits) > 0 {
		C.kv_cadical_add(s.s, cLits(s.lits), C.int64_t(len(s.lits)))
		s.lits = s.lits[:0]
	}
	s.mention(assumptions)
	var conflicts C.int64_t
	r := C.kv_cadical_solve(s.s, cLits(assumptions), C.int64_t(len(assumptions)), C.int(min(budget, math.MaxInt32)), &conflicts)
	runtime.KeepAlive(s)
	s.last = Unknown
	switch r {
	case 10:
		s.last = Sat
	case 20:
		s.last = Unsat
	}
	return s.last, int64(conflicts)
}

func (s *cadical) Value(l Lit) bool {
	defer runtime.KeepAlive(s)
	if s.last == Unsat {
		return C.kv_cadical_failed(s.s, C.int32_t(l)) != 0
	}
	return max(l, -l) <= s.known && C.kv_cadical_value(s.s, C.int32_t(l)) != 0
}

func cLits(lits []Lit) *C.int32_t { return (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(lits))) }

// Prove decides the formula in a file, in DIMACS, with at most about budget
// conflicts and writes an LRAT proof of Unsat, as text, to the file called proof.
func Prove(formula string, budget int64, proof string) (Result, error) {
	in, out := C.CString(formula), C.CString(proof)
	defer C.free(unsafe.Pointer(in))
	defer C.free(unsafe.Pointer(out))
	switch C.kv_cadical_prove(in, C.int(min(budget, math.MaxInt32)), out) {
	case 10:
		return Sat, nil
	case 20:
		return Unsat, nil
	case 0:
		return Unknown, nil
	}
	return Unknown, fmt.Errorf("prove %s: cannot read it, or not write %s", formula, proof)
}
