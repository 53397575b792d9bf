package exec

import "maps"

// models holds every function that is executed without a body, by symbol.
// Intrinsics stand under their name without type suffixes.
var models map[string]model

// The table is filled here, not where it is declared: models call functions that look into it.
func init() {
	models = map[string]model{
		// Written checks: model_check.go.
		"kvfarm_any_u8": anyInt, "kvfarm_any_u16": anyInt, "kvfarm_any_u32": anyInt, "kvfarm_any_u64": anyInt,
		"kvfarm_any_u128": anyInt, "kvfarm_any_usize": anyInt, "kvfarm_any_bool": anyBool,
		"kvfarm_any_bytes": anyBytes, "kvfarm_assume": checkAssume, "kvfarm_assert": checkAssert,

		// Integers: model_int.go.
		"llvm.uadd.with.overflow": withOverflow, "llvm.sadd.with.overflow": withOverflow,
		"llvm.usub.with.overflow": withOverflow, "llvm.ssub.with.overflow": withOverflow,
		"llvm.umul.with.overflow": withOverflow, "llvm.smul.with.overflow": withOverflow,
		"llvm.uadd.sat": binaryInt, "llvm.usub.sat": binaryInt, "llvm.sadd.sat": binaryInt, "llvm.ssub.sat": binaryInt,
		"llvm.umin": binaryInt, "llvm.umax": binaryInt, "llvm.smin": binaryInt, "llvm.smax": binaryInt,
		"llvm.ctpop": unaryInt, "llvm.bswap": unaryInt, "llvm.bitreverse": unaryInt,
		"llvm.ctlz": countZeros, "llvm.cttz": countZeros, "llvm.abs": absolute,
		"llvm.fshl": funnel, "llvm.fshr": funnel,
		"llvm.ucmp": threeWay, "llvm.scmp": threeWay,

		// Hints: model_hint.go.
		"llvm.assume": assumeHint, "llvm.expect": firstArgument, "llvm.expect.with.probability": firstArgument,
		"llvm.is.constant": notConstant, "llvm.trap": trap, "llvm.donothing": nothing, "llvm.sideeffect": nothing,
		"llvm.experimental.noalias.scope.decl": nothing, "llvm.prefetch": nothing,
		"llvm.lifetime.start": lifetimeStart, "llvm.lifetime.end": lifetimeEnd, "llvm.objectsize": unknownSize,
		"llvm.stacksave": stackSave, "llvm.stackrestore": nothing, "llvm.ptrmask": ptrMask,
		"llvm.launder.invariant.group": firstArgument, "llvm.strip.invariant.group": firstArgument,
		"llvm.threadlocal.address": firstArgument,

		// Memory: model_mem.go.
		"llvm.memcpy": memCopy, "llvm.memcpy.inline": memCopy, "llvm.memmove": memMove, "llvm.memset": memSet, "llvm.memset.inline": memSet,
		"memcpy": memCopy, "memmove": memMove, "memset": memSet, "memcmp": memCompare, "bcmp": memCompare, "strlen": strLen, "memchr": memChr,

		// Allocation: model_alloc.go.
		"kmalloc": allocate, "vmalloc": allocate, "free": release, "kfree": release, "vfree": release, "kvfree": release,
		"krealloc":                   reallocate,
		"krealloc_node_align_noprof": reallocate, "vrealloc_node_align_noprof": reallocate, "kvrealloc_node_align_noprof": reallocate,
		"rust_helper_krealloc_node_align": reallocate, "rust_helper_vrealloc_node_align": reallocate, "rust_helper_kvrealloc_node_align": reallocate,
		"rust_helper_kfree": release, "rust_helper_vfree": release, "rust_helper_kvfree": release,

		// C's library where it is not the kernel's: model_libc.go.
		"malloc": cAllocate, "calloc": cZeroed, "realloc": cReallocate,
		"abort": trap, "exit": leave, "_exit": leave, "_Exit": leave, "__assert_fail": assertFail,
	}
	maps.Copy(models, kernelModels)   // model_kernel.go
	maps.Copy(models, atomicModels()) // model_atomic.go
}
