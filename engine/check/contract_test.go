package check_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/contract"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// TestContracts calls each function that has a contract, and asks what is known
// afterwards: no more than the contract says, and no less.
func TestContracts(t *testing.T) {
	for _, k := range contract.All() {
		k.Symbol = strings.ReplaceAll(k.Symbol, "*", "any")
		if k.Effect == contract.Model {
			continue // testdata has programs for these
		}
		t.Run(k.Symbol, func(t *testing.T) {
			s, err := ir.Parse([]byte(contractProgram(k)))
			if err != nil {
				t.Fatal(err)
			}
			v, err := check.Prove(s, exec.Config{})
			if err != nil {
				t.Fatal(err)
			}
			_, got := show(v)
			want := []string{"own", "told", "limit", "result", "later", "back"}
			for i, word := range contractWords(k) {
				if got[i] != "assert "+word {
					t.Errorf("%s: %s, want %s", want[i], got[i], word)
				}
			}
		})
	}
}

// contractProgram calls a function with the addresses of memory that holds 7s.
// Then it states that memory of which C was not told stays so, that the memory
// which C was told of does, that the result lies within its limits, that it is 0,
// and that the memory stays so when other C code has changed what it can reach.
// A function whose address C may know states something false.
func contractProgram(k contract.Contract) string {
	types, args := []string{"ptr", "ptr", "ptr", "ptr"}, []string{"ptr %m", "ptr %m", "ptr %m", "ptr %m"}
	number := func(i int) { types[i], args[i] = "i64", "i64 8" }
	if k.SizeIn {
		number(k.Size)
	}
	if k.Result == contract.AtMost {
		number(k.N)
	}
	ret, result := " -> i32", "%r = call i32"
	zero, limit := "icmp eq i32 %r, 0", "icmp sle i32 %r, 0"
	switch k.Result {
	case contract.Void:
		ret, result, zero, limit = "", "call void", "icmp eq i32 0, 0", "icmp eq i32 0, 0"
	case contract.Arg:
		ret, result, zero, limit = " -> ptr", "%r = call ptr", "icmp eq ptr %r, null", "icmp eq ptr %r, %m"
	case contract.Some:
		zero, limit = "icmp eq i32 %r, 1", "icmp ne i32 %r, 0"
	case contract.Bool:
		limit = "icmp ule i32 %r, 1"
	case contract.AtMost:
		limit = "icmp ule i32 %r, 8"
	}
	return fmt.Sprintf(`kvslice 1
arch x86_64
extern @assert "kvfarm_assert" (i1)
extern @c %q (%s)%s
extern @later "rb_erase" (ptr, ptr)
func @f () {
  %%own = alloca 8, align 8
  %%m = alloca 16, align 8
  store i64 7, ptr %%own
  store ptr @back, ptr %%m
  %%m8 = gep ptr %%m, 8
  store i64 7, ptr %%m8
  %s @c(%s)
  %%a = load i64, ptr %%own
  %%ca = icmp eq i64 %%a, 7
  call void @assert(i1 %%ca)
  %%b = load i64, ptr %%m8
  %%cb = icmp eq i64 %%b, 7
  call void @assert(i1 %%cb)
  %%l = %s
  call void @assert(i1 %%l)
  %%z = %s
  call void @assert(i1 %%z)
  store i64 7, ptr %%m8
  call void @later(ptr null, ptr null)
  %%d = load i64, ptr %%m8
  %%cd = icmp eq i64 %%d, 7
  call void @assert(i1 %%cd)
  ret void
}
func @back (ptr %%p) {
  %%v = icmp eq ptr %%p, null
  call void @assert(i1 %%v)
  ret void
}
`, k.Symbol, strings.Join(types, ", "), ret, result, strings.Join(args, ", "), limit, zero)
}

// contractWords says what becomes of the statements of contractProgram.
func contractWords(k contract.Contract) []string {
	const proved, unknown, refuted = "PROVED", "UNKNOWN", "REFUTED"
	out := []string{proved, proved, proved, unknown, proved, proved}
	switch k.Effect {
	case contract.Keeps:
		out[4] = unknown
	case contract.Changes:
		out[1], out[4] = unknown, unknown
	case contract.Calls:
		out[1], out[4], out[5] = unknown, unknown, unknown
	}
	switch k.Result {
	case contract.Void:
		out[3] = proved
	case contract.Input:
		out[2], out[3] = refuted, refuted
	case contract.Any, contract.Status:
		out[2] = unknown
	case contract.Arg:
		out[3] = refuted
	}
	return out
}

// What a function does that looks at nothing is the same whether what lies behind its arguments is
// known or not. One that looks is not: else nothing would be tested here.
func TestBlind(t *testing.T) {
	alike := func(symbol, ret string) bool {
		return blindVerdict(t, symbol, ret, "bits 8 align 8") == blindVerdict(t, symbol, ret, "opaque 8 align 8")
	}
	for _, k := range contract.All() {
		if k.Looks() {
			continue
		}
		ret := "i32"
		switch {
		case k.Result == contract.Void:
			ret = "void"
		case k.Result == contract.Arg:
			ret = "ptr"
		}
		if symbol := strings.ReplaceAll(k.Symbol, "*", "any"); !alike(symbol, ret) {
			t.Errorf("%s looks at its arguments", symbol)
		}
	}
	if alike("rust_helper_atomic_read", "i32") {
		t.Error("atomic_read does not look at its argument")
	}
}

// blindVerdict calls a function with the addresses of an input with that content and of what it leads to, and states
// that the result is 0.
func blindVerdict(t *testing.T, symbol, ret, content string) string {
	t.Helper()
	result, call, zero := " -> "+ret, "%r = call "+ret, "icmp eq "+ret+" %r, "
	switch ret {
	case "void":
		result, call, zero = "", "call void", "icmp eq i32 0, 0"
	case "ptr":
		zero += "null"
	default:
		zero += "0"
	}
	s, err := ir.Parse([]byte(fmt.Sprintf(`kvslice 1
extern @assert "kvfarm_assert" (i1)
extern @c %q (ptr, ptr, ptr, ptr)%s
func @f (ptr nonnull %%p) {
  %%at = gep ptr %%p, 8
  %%q = load ptr, ptr %%at
  %s @c(ptr %%p, ptr %%q, ptr %%p, ptr %%q)
  %%z = %s
  call void @assert(i1 %%z)
  ret void
}
inputs { ref mut struct 16 align 8 { 0: %s, 8: ref mut struct 8 align 8 { 0: %s } } }
`, symbol, result, call, zero, content, content)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := check.Prove(s, exec.Config{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
