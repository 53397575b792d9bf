package cut

import (
	"strings"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// panicKinds gives the kind of each panic entry of core by the start of its
// path, the longest one that fits.
var panicKinds = []struct{ path, kind string }{
	{"core::panicking::panic_bounds_check", "bounds"},
	{"core::panicking::panic_const::panic_const_add_overflow", "add_overflow"},
	{"core::panicking::panic_const::panic_const_sub_overflow", "sub_overflow"},
	{"core::panicking::panic_const::panic_const_mul_overflow", "mul_overflow"},
	{"core::panicking::panic_const::panic_const_div_overflow", "div_overflow"},
	{"core::panicking::panic_const::panic_const_rem_overflow", "rem_overflow"},
	{"core::panicking::panic_const::panic_const_neg_overflow", "neg_overflow"},
	{"core::panicking::panic_const::panic_const_shl_overflow", "shl_overflow"},
	{"core::panicking::panic_const::panic_const_shr_overflow", "shr_overflow"},
	{"core::panicking::panic_const::panic_const_div_by_zero", "div_zero"},
	{"core::panicking::panic_const::panic_const_rem_by_zero", "rem_zero"},
	{"core::panicking::panic_const::", "async_resumed"},
	{"core::num::overflow_panic::add", "add_overflow"},
	{"core::num::overflow_panic::sub", "sub_overflow"},
	{"core::num::overflow_panic::mul", "mul_overflow"},
	{"core::num::overflow_panic::div", "div_overflow"},
	{"core::num::overflow_panic::rem", "rem_overflow"},
	{"core::num::overflow_panic::neg", "neg_overflow"},
	{"core::num::overflow_panic::shl", "shl_overflow"},
	{"core::num::overflow_panic::shr", "shr_overflow"},
	{"core::option::unwrap_failed", "unwrap_none"},
	{"core::option::expect_failed", "expect"},
	{"core::result::unwrap_failed", "unwrap_failed"},
	{"core::slice::index::", "slice_index"},
	{"core::slice::copy_from_slice_impl::", "copy_from_slice"},
	{"core::slice::<impl [T]>::copy_from_slice::", "copy_from_slice"},
	{"core::str::slice_error_fail", "str_index"},
	{"core::panicking::assert_failed", "assert_eq"},
	{"core::panicking::assert_matches_failed", "assert_eq"},
	{"core::panicking::unreachable_display", "unreachable"},
	{"core::panicking::panic_nounwind", "ub_check"},
	{"core::panicking::panic_misaligned_pointer_dereference", "misaligned"},
	{"core::panicking::panic_null_pointer_dereference", "null"},
	{"core::panicking::panic_invalid_enum_construction", "invalid_enum"},
	{"core::panicking::panic_cannot_unwind", "nounwind"},
	{"core::panicking::panic_in_cleanup", "nounwind"},
	{"core::panicking::panic_fmt", "panic_fmt"},
	{"core::panicking::panic_display", "panic_fmt"},
	{"core::panicking::", "panic"},
	{"core::cell::", "borrow"},
	{"core::", "panic"},
}

// panicKind is the kind of panic that f raises, empty if f is no panic entry.
// Entries are the functions of core that do not return, under any crate that
// holds an instance of them, and the kernel's build_error.
func panicKind(f *module.Func) string {
	if f.Symbol == "rust_build_error" {
		return "build_error"
	}
	if !f.Sig.NoReturn || f.Intrinsic {
		return ""
	}
	name := withoutGenerics(f.Name)
	best, kind := -1, ""
	for _, k := range panicKinds {
		if len(k.path) > best && strings.HasPrefix(name, k.path) {
			best, kind = len(k.path), k.kind
		}
	}
	return kind
}

// withoutGenerics takes generic arguments out of a path: they name types of
// other crates. An implementation, as in <T as Trait>::method, stays.
func withoutGenerics(path string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(path, "::<")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		depth := 1
		i := 0
		for ; i < len(rest) && depth > 0; i++ {
			switch rest[i] {
			case '<':
				depth++
			case '>':
				if i == 0 || rest[i-1] != '-' { // not the arrow of a function type
					depth--
				}
			}
		}
		path = rest[i:]
	}
}
